import Foundation
import ReelTestSupport
import Testing

/// An example that is run as a person would, from the folder the build puts it in.
struct ExampleProcess {
  struct Run {
    let status: Int32
    let output: String
    let errors: String
  }

  private let program: URL

  init(_ name: String) {
    let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
    let neighbour = bundle ?? URL(fileURLWithPath: CommandLine.arguments[0])
    program = neighbour.deletingLastPathComponent().appendingPathComponent(name)
  }

  func run(_ arguments: [String]) throws -> Run {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errorText = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: errorText, as: UTF8.self))
  }

  /// The process, running by now.
  func started(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    try process.run()
    return process
  }

  func run(_ arguments: String...) throws -> Run { try run(arguments) }

  /// A mistake on the command line is told in one line, and the exit code is 1.
  func expectMistake(_ arguments: [String], _ message: String) throws {
    let process = try run(arguments)
    #expect(process.status == 1)
    #expect(process.output.isEmpty)
    #expect(process.errors.contains(message), "\(process.errors)")
    #expect(process.errors.split(separator: "\n").count == 1)
  }
}

/// Runs `body` with a folder of its own, which is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("reel-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// A file is a picture: well-formed XML whose outermost element is `svg`.
func expectPicture(_ path: String) throws {
  let text = try String(contentsOfFile: path, encoding: .utf8)
  #expect(text.contains("<svg"), "\(path)")
  #expect(try XMLChecker.failure(text) == nil, "\(path)")
}
