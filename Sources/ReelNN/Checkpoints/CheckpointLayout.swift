import Reel

/// How the parts of a checkpoint are named in its file.
///
/// Tensors: `weights.PATH`, `optimizer.NAME`, `state.PATH.I` (the I-th tensor that a stateful layer carries),
/// `random.stream`, `extra.NAME`. Metadata: `format`, `epoch`, `step`, `note.NAME`, and `unmade`, the paths of parameters
/// that had no value, a line each. A file of weights alone has their paths as names, and `unmade`.
enum CheckpointLayout {
  static let formatKey = "format"
  static let format = "reel checkpoint 1"
  static let unmadeKey = "unmade"
  static let randomStream = "random.stream"

  /// A group of tensors.
  enum Section: String, CaseIterable {
    case weights, optimizer, state, extra

    func name(_ name: String) -> String { "\(rawValue).\(name)" }

    /// The tensors of the section by the names they have in it.
    func tensors(of file: Safetensors) -> [String: Tensor] {
      let prefix = name("")
      let pairs = file.tensors.compactMap { $0.hasPrefix(prefix) ? (String($0.dropFirst(prefix.count)), $1) : nil }
      return Dictionary(uniqueKeysWithValues: pairs)
    }
  }

  static func isCheckpoint(_ file: Safetensors) -> Bool { file.metadata[formatKey] == format }

  /// The weights of a checkpoint, or of a file that has nothing else.
  static func weights(of file: Safetensors) -> [String: Tensor] {
    isCheckpoint(file) ? Section.weights.tensors(of: file) : file.tensors
  }
}
