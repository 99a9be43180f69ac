extension Scan {
  private static let executables = LoopCache<Scan, Executable>()

  /// What runs the loop by itself. It keeps no memory between runs, for nobody may ever run it again.
  var executable: Executable {
    Self.executables(self) { Executable(program.applying([.simplify] + Pass.kernels), keepsWorkspace: false) }
  }
}
