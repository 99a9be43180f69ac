import Reel
import Testing

/// Something that is not possible, done all the same, and the error to the letter.
package struct Mistake: Sendable, CustomTestStringConvertible {
  /// What is done, for the page of errors.
  package let what: String
  package let message: String
  /// Does it. A folder of its own is there for files; in messages it is left out.
  package let call: @Sendable (_ folder: String) throws -> Void

  package init(_ what: String, _ message: String, _ call: @escaping @Sendable (_ folder: String) throws -> Void) {
    (self.what, self.message, self.call) = (what, message, call)
  }

  package var testDescription: String { what }

  /// What is wrong with the error that comes, or with none coming.
  package func failure(in folder: String = "") -> String? {
    do {
      try Recording.throwingErrors { try call(folder) }
      return "\(what): no error"
    } catch {
      let found = "\(error)".replacing("\(folder)/", with: "")
      return found == message ? nil : "\(what): the message is\n  \(found)\nnot\n  \(message)"
    }
  }
}
