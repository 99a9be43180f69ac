import Foundation
import Reel
import ReelNN
import ReelTestSupport
import Testing

/// Scalers find what scikit-learn finds, and lead back.
@Suite struct ScalerTests {
  static let data = Tensor([1, 10, 5, 2, 20, 5, 4, 40, 5, 9, 25, 5] as [Double], shape: [4, 3])

  /// By hand, from the definitions.
  static let scalers: [(scaler: any Scaler, center: [Double], scale: [Double])] = [
    (StandardScaler(fitting: data), [4, 23.75, 5], [(9.5).squareRoot(), (117.1875).squareRoot(), 1]),
    (MinMaxScaler(fitting: data), [1, 10, 5], [8, 30, 1]),
    (MinMaxScaler(fitting: data, from: -1, to: 1), [5, 25, 5.5], [4, 15, 0.5]),
    (RobustScaler(fitting: data), [3, 22.5, 5], [3.5, 11.25, 1]),
  ]

  @Test(arguments: scalers.indices)
  func findsTheNumbers(index: Int) throws {
    let (scaler, center, scale) = Self.scalers[index]
    expectClose(Tensor(scaler.center), Tensor(center), relative: 1e-15, absolute: 1e-15)
    expectClose(Tensor(scaler.scale), Tensor(scale), relative: 1e-15, absolute: 1e-15)
    for elementType in [ElementType.float32, .float64] {
      let x = Self.data.converted(to: elementType)
      let scaled = scaler.transform(x)
      #expect(scaled.elementType == elementType && scaled.shape == x.shape)
      expectClose(scaler.inverseTransform(scaled), x, relative: 1e-6, absolute: 1e-6)
    }
    let decoded = try JSONDecoder().decode(AffineScaler.self, from: JSONEncoder().encode(scaler))
    #expect(decoded == AffineScaler(center: scaler.center, scale: scaler.scale))
  }

  @Test func scaledDataHasTheProperties() {
    let x = sample([50, 4, 3], seed: 5) * 7 + 3
    let standard = StandardScaler(fitting: x).transform(x)
    expectClose(standard.mean(along: [0, 1]), .zeros([3], elementType: .float64), absolute: 1e-14)
    expectClose((standard * standard).mean(along: [0, 1]), .ones([3], elementType: .float64), relative: 1e-13)
    let range = MinMaxScaler(fitting: x, from: 2, to: 3).transform(x)
    expectClose(range.min(along: [0, 1]), Tensor([2, 2, 2] as [Double]), relative: 1e-14)
    expectClose(range.max(along: [0, 1]), Tensor([3, 3, 3] as [Double]), relative: 1e-14)
  }

  @Test func numbersThatAreMissingAreLeftOut() {
    let data = Tensor([1, .nan, 3, 4, .nan, 6] as [Double], shape: [3, 2])
    let scaler = StandardScaler(fitting: data)
    #expect(scaler.center == [2, 5] && scaler.scale == [1, 1])
    #expect(scaler.transform(data).numbers.map(\.isNaN) == [false, true, false, false, true, false])
  }

  @Test func aScalerOfSomeFeaturesLeadsBackFromAPrediction() {
    let scaler = MinMaxScaler(fitting: Self.data)
    let prediction = Tensor([0.5, 1] as [Double], shape: [2, 1])
    #expect(scaler.selecting([1]).inverseTransform(prediction).numbers == [25, 40])
  }
}
