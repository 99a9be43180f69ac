// swift-tools-version: 6.2
import PackageDescription

/// A program in a folder of `Examples`.
func example(_ name: String, in folder: String, exclude: [String] = []) -> Target {
  .executableTarget(
    name: name, dependencies: ["Reel", "ReelNN", "ExampleSupport"], path: "Examples/\(folder)", exclude: exclude)
}

let package = Package(
  name: "reel",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Reel", targets: ["Reel"]),
    .library(name: "ReelNN", targets: ["ReelNN"]),
  ],
  targets: [
    // MARK: - Public libraries
    .target(name: "Reel", dependencies: ["ReelKernels"]),
    .target(name: "ReelNN", dependencies: ["Reel"]),

    // MARK: - Implementation details
    .target(
      name: "ReelKernels",
      // Fused multiply-add falls back to libm where the instruction set has none.
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]
    ),

    // MARK: - Examples
    .target(name: "ExampleSupport", dependencies: ["Reel"], path: "Examples/Support"),
    example("mnist-rows", in: "MNISTRows", exclude: ["Data"]),
    example("lstm-shapes", in: "LSTMShapes"),
    example("bidirectional-states", in: "BidirectionalStates"),
    example("next-number", in: "NextNumber"),
    example("stacked-rnn", in: "StackedRNN"),
    example("hello-rnn", in: "HelloRNN"),
    example("char-rnn", in: "CharRNN", exclude: ["Data"]),
    example("custom-cell", in: "CustomCell"),
    example("reel-bench", in: "Benchmarks", exclude: ["compare.py", "plan.py", "report.py", "peers"]),

    // MARK: - Tests
    .target(name: "ReelProof", dependencies: ["Reel"], path: "Tests/ReelProof"),
    .executableTarget(name: "reel-proof", dependencies: ["Reel", "ReelProof"], path: "Tests/ProofCommand"),
    .target(name: "ReelTestSupport", dependencies: ["Reel", "ReelNN", "ReelProof"], path: "Tests/ReelTestSupport"),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(name: "ReelKernelsTests", dependencies: ["ReelKernels"]),
    .testTarget(name: "ReelTests", dependencies: ["Reel", "ReelNN", "ReelTestSupport"]),
    .testTarget(
      name: "ReelNNTests",
      dependencies: ["Reel", "ReelNN", "ReelTestSupport", "AllocationCounter"],
      resources: [.copy("Golden")]
    ),
    .executableTarget(name: "training-process", dependencies: ["Reel", "ReelNN"], path: "Tests/TrainingProcess"),
    .testTarget(
      name: "ExamplesTests",
      dependencies: [
        "ReelTestSupport", "mnist-rows", "lstm-shapes", "bidirectional-states", "next-number", "stacked-rnn",
        "hello-rnn", "char-rnn", "custom-cell", "reel-bench", "training-process",
        "reel-proof",
      ]
    ),
  ],
  swiftLanguageModes: [.v6]
)
