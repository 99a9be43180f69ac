import ReelKernels
import Testing

/// Philox 4x32-10 against the published answer and against a plain version of the algorithm.
@Suite struct RandomTests {
  @Test(arguments: Kernels.all) func publishedAnswer(_ kernels: Kernels) {
    #expect(words(kernels, 0, 0, 4) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
  }

  /// Answers that the kernels cannot be asked for show that the plain version is right.
  @Test func publishedAnswersOfThePlainVersion() {
    let ones = UInt32.max
    #expect(
      Self.block((ones, ones), [ones, ones, ones, ones]) == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
    #expect(
      Self.block((0xa409_3822, 0x299f_31d0), [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344])
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  @Test(arguments: Kernels.all) func plainVersion(_ kernels: Kernels) {
    for count in [0, 1, 3, 4, 5, 63, 64, 65, 500] {
      let expected = (0..<count).map { Self.block((0xdead_beef, 0x1234_5678), [UInt32($0 / 4), 0, 0, 0])[$0 % 4] }
      #expect(words(kernels, 0xdead_beef, 0x1234_5678, count) == expected, "\(count) words")
    }
  }

  private func words(_ kernels: Kernels, _ key0: UInt32, _ key1: UInt32, _ count: Int) -> [UInt32] {
    var words = [UInt32](repeating: 0, count: count)
    kernels.table.random_bits(key0, key1, count, &words)
    return words
  }

  private static func block(_ key: (UInt32, UInt32), _ counter: [UInt32]) -> [UInt32] {
    var (key, c) = (key, counter)
    for _ in 0..<10 {
      let first = c[0].multipliedFullWidth(by: 0xd251_1f53)
      let second = c[2].multipliedFullWidth(by: 0xcd9e_8d57)
      c = [second.high ^ c[1] ^ key.0, second.low, first.high ^ c[3] ^ key.1, first.low]
      key = (key.0 &+ 0x9e37_79b9, key.1 &+ 0xbb67_ae85)
    }
    return c
  }
}
