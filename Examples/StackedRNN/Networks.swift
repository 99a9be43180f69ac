import Reel
import ReelNN

/// The two networks, which read `[batch, time, features]` and give one number.
enum Networks {
  /// Two recurrent layers, one on the other, of different kinds.
  static func stacked() -> Sequential {
    Sequential {
      LSTM(16, returnSequences: true)
      GRU(32, returnSequences: true)
      Flatten()
      Dense(128, activation: .silu)
      Dense(1)
    }
  }

  /// A convolution that looks at ten hours at once, and layers that read both ways.
  static func convolutional() -> Sequential {
    Sequential {
      Conv1D(32, kernelSize: 10, padding: .same)
      MaxPooling1D()
      Bidirectional(LSTM(24, returnSequences: true), backward: GRU(16, returnSequences: true))
      Bidirectional(LSTM(24, returnSequences: true), backward: GRU(24, returnSequences: true))
      Flatten()
      Dense(256, activation: .silu)
      Dense(1)
    }
  }
}
