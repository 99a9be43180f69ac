import Foundation
import Reel

/// Hourly weather at a made-up place, computed from a few equations with seeded noise.
///
///     pressure   x″ = -ω²x - 2ζωx′ + noise                a low or a high every five days
///     clouds     c  = 1 / (1 + exp(0.12 x - n))           n: noise that fades within eight hours
///     sun        S  = 900 max(0, sin(2π(t - 6 h)/24 h)) (1 - 0.75 c^3.4)                W/m²; Kasten and Czeplak (1980)
///     ground     C_g T_g′ = 0.8 S - 90 (1 - 0.8 c) - k (T_g - T)                        k = 8 + 1.5 u, W/(m² K)
///     air        C_a T′ = k (T_g - T) + C_a (T_m - T)/12 h                              T_m = 12 - 6 x′: the air mass
///     vapour     e′ = (0.7 e_s(T_m) - e)/24 h + S/2000 hPa/h                            e_s: Magnus' formula
///     wind       u  = |3 + 2 x′ + n′|                                                   m/s
///
/// What is measured is the air's temperature, the ground's, the sun, the pressure, the wind and the relative humidity
/// 100 e/e_s(T), the temperatures to a tenth of a degree or so.
struct WeatherModel {
  static let features = ["temperature", "ground", "sun", "pressure", "wind", "humidity"]

  /// hPa from the mean, and per hour.
  private var pressure = 0.0
  private var tendency = 0.0
  private var cloudNoise = 0.0
  private var windNoise = 0.0
  /// °C.
  private var air = 12.0
  private var ground = 12.0
  /// hPa.
  private var vapour = 9.0

  /// The measurements of some hours, `[hours, 6]`.
  ///
  /// - Parameters:
  ///   - hours: How many.
  ///   - seed: Of the noise.
  static func series(hours: Int, seed: UInt64) -> Tensor {
    let noise = withRandomSeed(seed) { Tensor.randomNormal([hours, 5], elementType: .float64) }.numbers
    var model = WeatherModel()
    var rows: [Float] = []
    rows.reserveCapacity(hours * features.count)
    for hour in 0..<hours {
      let measured = model.advance(to: hour, noise: noise[hour * 5..<hour * 5 + 5])
      rows += measured.map(Float.init)
    }
    return Tensor(rows, shape: [hours, features.count])
  }

  /// One hour, in steps of ten minutes.
  private mutating func advance(to hour: Int, noise: ArraySlice<Double>) -> [Double] {
    let noise = Array(noise)
    let (frequency, damping) = (2 * Double.pi / 120, 0.15)
    tendency += 0.12 * noise[0]
    cloudNoise += -cloudNoise / 8 + 0.4 * noise[1]
    windNoise += -windNoise / 5 + 0.5 * noise[2]
    let wind = abs(3 + 2 * tendency + windNoise)
    let cloud = 1 / (1 + exp(0.12 * pressure - cloudNoise))
    let airMass = 12 - 6 * tendency
    var sun = 0.0
    for step in 0..<6 {
      let time = Double(hour) + Double(step) / 6
      tendency += (-frequency * frequency * pressure - 2 * damping * frequency * tendency) / 6
      pressure += tendency / 6
      sun = 900 * max(0, sin(2 * .pi * (time - 6) / 24)) * (1 - 0.75 * pow(cloud, 3.4))
      let exchange = (8 + 1.5 * wind) * (ground - air)
      ground += 600 * (0.8 * sun - 90 * (1 - 0.8 * cloud) - exchange) / 2.5e5
      air += 600 * exchange / 7.2e5 + (airMass - air) / 12 / 6
      vapour += ((0.7 * Self.saturation(airMass) - vapour) / 24 + sun / 2000) / 6
    }
    vapour = min(vapour, Self.saturation(air))
    return [
      air + 0.1 * noise[3], ground + 0.1 * noise[4], sun, 1013 + pressure, wind, 100 * vapour / Self.saturation(air),
    ]
  }

  /// The pressure of saturated vapour in hPa: Magnus' formula.
  private static func saturation(_ celsius: Double) -> Double { 6.112 * exp(17.62 * celsius / (243.12 + celsius)) }
}
