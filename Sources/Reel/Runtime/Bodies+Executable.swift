// Operations that hold programs, as programs of their own. They keep no memory between runs, for nobody may ever run them
// again.

extension Pass {
  /// The passes of a loop that runs eagerly: it is prepared once and may run once, so they are the quick ones.
  static let eager: [Pass] = [.simplify] + kernels
}

extension Scan {
  private static let executables = LoopCache<Scan, Executable>()

  /// What runs the loop by itself.
  var executable: Executable {
    Self.executables(self) { Executable(program.applying(Pass.eager), keepsWorkspace: false) }
  }
}

extension RepeatWhile {
  private static let executables = LoopCache<RepeatWhile, Executable>()

  /// What runs the loop by itself.
  var executable: Executable {
    Self.executables(self) { Executable(program.applying(Pass.eager), keepsWorkspace: false) }
  }
}

extension LoopBody {
  private static let executables = LoopCache<LoopBody, Executable>()

  /// What runs the program by itself.
  var executable: Executable {
    Self.executables(self) { Executable(graph.applying(Pass.eager), keepsWorkspace: false) }
  }
}
