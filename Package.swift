// swift-tools-version: 6.2
import PackageDescription

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
    .executableTarget(
      name: "mnist-rows",
      dependencies: ["Reel", "ReelNN"],
      path: "Examples/MNISTRows",
      exclude: ["Data"]
    ),
    .executableTarget(
      name: "reel-bench",
      dependencies: ["Reel", "ReelNN"],
      path: "Examples/Benchmarks",
      exclude: ["compare.py", "plan.py", "report.py", "peers"]
    ),

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
    .testTarget(name: "ExamplesTests", dependencies: ["mnist-rows", "reel-bench", "training-process", "reel-proof"]),
  ],
  swiftLanguageModes: [.v6]
)
