internal import ReelKernels

/// What the process runs on. Both are settled when Reel first computes something.
public enum Runtime {
  /// The instruction set of the kernels: `portable`, `avx2`, `avx512` or `neon`. The best of the machine, or that of the
  /// environment variable `REEL_ISA`.
  public static var instructionSet: String { name(Kernels.table.pointee.isa) }

  /// The instruction sets that this machine has, by name. Asking does not choose one.
  public static var supportedInstructionSets: [String] { sets.filter(reel_isa_is_supported).map(name) }

  /// The instruction set of a name.
  static func instructionSet(named name: String) -> reel_isa? { sets.first { Self.name($0) == name } }

  static var sets: [reel_isa] { [REEL_ISA_PORTABLE, REEL_ISA_AVX2, REEL_ISA_AVX512, REEL_ISA_NEON] }

  static func name(_ isa: reel_isa) -> String {
    switch isa {
    case REEL_ISA_AVX2: "avx2"
    case REEL_ISA_AVX512: "avx512"
    case REEL_ISA_NEON: "neon"
    default: "portable"
    }
  }
}
