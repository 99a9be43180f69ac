import ReelTestSupport
import Testing

/// How the sources are arranged.
@Suite struct HouseTests {
  @Test func noFileIsLongerThan400Lines() throws {
    let files =
      try SourceFile.all(under: "Sources", extensions: ["swift", "c", "h", "inc"])
      + SourceFile.all(under: "Tests/ReelTests") + SourceFile.all(under: "Tests/ReelTestSupport")
    #expect(files.count > 80)
    for file in files where file.lineCount > 400 { Issue.record("\(file.path) has \(file.lineCount) lines") }
  }

  @Test func theKernelsAreImportedWhereOpcodesAreNamed() throws {
    // The folder of their Swift face, the tables of opcodes, and what makes and runs instructions.
    let allowed = [
      /Reel\/Kernels\/.*/, /Reel\/Operations\/(?:Elementwise.*|Convert|Reduction)\.swift/, /Reel\/Compiler\/Fus.*/,
      /Reel\/Runtime\/.*/,
    ]
    for file in try SourceFile.all(under: "Sources") where file.text.contains(/import ReelKernels\b/) {
      let isAllowed = try allowed.contains { try $0.wholeMatch(in: file.path.dropFirst("Sources/".count)) != nil }
      #expect(isAllowed, "\(file.path) imports ReelKernels")
      #expect(file.text.contains("internal import ReelKernels"), "\(file.path) shows the kernels to others")
    }
  }

  @Test func importsOfTheLibraryRunOneWay() throws {
    for file in try SourceFile.all(under: "Sources/Reel") {
      #expect(!file.text.contains(/import (?:ReelNN|ReelTestSupport)\b/), "\(file.path)")
    }
    let known: Set = ["Foundation", "ReelKernels", "Synchronization", "Reel", "Glibc", "Musl", "Darwin"]
    for file in try SourceFile.all(under: "Sources") {
      for match in file.text.matches(of: /(?m)^(?:\w+ )?import (\w+)/) {
        #expect(known.contains(String(match.output.1)), "\(file.path) imports \(match.output.1)")
      }
    }
  }
}

/// A folder of Reel names only what folders before it declare, but for the knots that are listed here.
@Suite struct LayeringTests {
  static let order = [
    "Storage", "Kernels", "Tape", "Operations", "Differentiation", "Control", "Compiler", "Runtime", "Inspect",
  ]

  /// What each folder may name of folders after it.
  static let knots: [String: Set<String>] = [
    // Errors go to the boundary around the running code.
    "Storage": ["Recording"],
    // Tensor, operation and tape belong together; an operation says how it is lowered.
    "Tape": ["Input", "Constant", "Fill", "Iota", "Identity", "ScalarCode", "Lowering"],
    "Operations": ["Lowering"], "Compiler": ["Lowering"],
  ]

  /// The code without comments and strings, in which names could stand by chance.
  static func code(of file: SourceFile) -> String {
    file.text.replacing(/"(?:[^"\\\n]|\\.)*"/, with: "").replacing(/\/\/[^\n]*/, with: "")
  }

  static func folder(of file: SourceFile) -> String { String(file.path.split(separator: "/")[2]) }

  @Test func foldersNameOnlyWhatIsBelow() throws {
    let files = try SourceFile.all(under: "Sources/Reel").map {
      (folder: Self.folder(of: $0), path: $0.path, code: Self.code(of: $0))
    }
    #expect(Set(files.map(\.folder)).isSubset(of: Self.order), "a folder that the order does not know")
    let declaration =
      /(?m)^(?:(?:public|package|final|indirect|nonisolated\(unsafe\)) )*(?:struct|class|enum|protocol|actor|typealias) (\w+)/
    var home: [Substring: String] = [:]
    for file in files { for match in file.code.matches(of: declaration) { home[match.output.1] = file.folder } }
    #expect(home["Tensor"] == "Tape" && home["Scan"] == "Control" && home["Shape"] == "Storage")
    for file in files {
      let level = Self.order.firstIndex(of: file.folder)!
      for name in Set(file.code.matches(of: /(?:^|[^.\w])([A-Z]\w+)/).map(\.output.1)) {
        guard let other = home[name], Self.order.firstIndex(of: other)! > level else { continue }
        let isKnot = Self.knots[file.folder]?.contains(String(name)) == true
        #expect(isKnot, "\(file.path) names \(name), which is declared in \(other)")
      }
    }
  }
}
