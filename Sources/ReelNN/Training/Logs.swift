/// What is known at some moment of a training: numbers by name, in the order they are shown.
public struct Logs: Sendable {
  /// The names and numbers, in order.
  public private(set) var entries: [(name: String, value: Double)]

  /// Numbers with their names, each of which is there once; none by default.
  public init(_ entries: [(name: String, value: Double)] = []) { self.entries = entries }

  /// The names, in order.
  public var names: [String] { entries.map(\.name) }

  /// The number with a name; nil if there is none. Assigning replaces it, adds it at the end, or takes it out.
  public subscript(name: String) -> Double? {
    get { entries.first { $0.name == name }?.value }
    set {
      let place = entries.firstIndex { $0.name == name }
      switch (place, newValue) {
      case (let place?, let value?): entries[place].value = value
      case (let place?, nil): entries.remove(at: place)
      case (nil, let value?): entries.append((name, value))
      case (nil, nil): break
      }
    }
  }
}
