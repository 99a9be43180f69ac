extension Graph {
  /// The program in the language of Graphviz, for its layouts and tools: `dot -Tsvg`.
  ///
  /// Bodies of loops are clusters, which arrows of the loop go to and come from. Fills are those of ``svg(title:)``.
  public func dot() -> String {
    var writer = DOTWriter()
    writer.lines = [
      "digraph graph_ {",
      "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];",
      "  edge [color=\"#8791a1\"];", "  compound=true;",
    ]
    writer.write(GraphDiagram(self), indentation: "  ")
    return (writer.lines + ["}", ""]).joined(separator: "\n")
  }
}

private struct DOTWriter {
  var lines: [String] = []
  private var count = 0

  /// Writes the boxes and arrows of a diagram, and gives the names of its inputs and outputs.
  @discardableResult
  mutating func write(_ diagram: GraphDiagram, indentation: String) -> (inputs: [String], outputs: [String]) {
    /// By box, where arrows end and where they begin, and the cluster they stop at.
    var targets: [[String]] = []
    var sources: [[String]] = []
    var clusters: [String?] = []
    for box in diagram.boxes {
      count += 1
      if box.bodies.isEmpty {
        let label = [box.name, box.detail, box.type].filter { !$0.isEmpty }.map { Self.quoted($0.prefix(80)) }
        lines.append(
          "\(indentation)n\(count) [label=\"\(label.joined(separator: "\\n"))\", fillcolor=\"\(Self.fill(box.role))\"];"
        )
        targets.append(["n\(count)"])
        sources.append(["n\(count)"])
        clusters.append(nil)
      } else {
        clusters.append("cluster_\(count)")
        let ends = cluster(box, number: count, indentation: indentation)
        targets.append(ends.inputs)
        sources.append(ends.outputs)
      }
    }
    for edge in diagram.edges {
      // Arrows are between nodes; those of a loop are cut where they meet its cluster.
      guard let from = sources[edge.from].last, let to = targets[edge.to].first else { continue }
      let cuts = [
        clusters[edge.from].map { "ltail=\($0)" }, clusters[edge.to].map { "lhead=\($0)" },
      ].compactMap(\.self)
      lines.append(
        "\(indentation)\(from) -> \(to)" + (cuts.isEmpty ? ";" : " [\(cuts.joined(separator: ", "))];"))
    }
    return (diagram.inputs.compactMap { targets[$0].first }, diagram.outputs.compactMap { sources[$0].last })
  }

  private mutating func cluster(
    _ box: GraphDiagram.Box, number: Int, indentation: String
  ) -> (inputs: [String], outputs: [String]) {
    let label = [box.name, box.detail].filter { !$0.isEmpty }.map { Self.quoted($0.prefix(120)) }.joined(separator: " ")
    lines.append("\(indentation)subgraph cluster_\(number) {")
    lines.append("\(indentation)  label=\"\(label)\"; style=\"rounded,filled\"; color=\"#8791a1\";")
    lines.append("\(indentation)  fillcolor=\"\(box.role == .reverse ? "#fdf3ea" : "#f4f7fb")\";")
    var inputs: [String] = []
    var outputs: [String] = []
    for body in box.bodies {
      let ends = write(body, indentation: indentation + "  ")
      inputs += ends.inputs
      outputs += ends.outputs
    }
    lines.append("\(indentation)}")
    return (inputs, outputs)
  }

  private static func fill(_ role: GraphDiagram.Role) -> String {
    switch role {
    case .given: "#eceff3"
    case .forward: "#dceafd"
    case .reverse: "#fde6d2"
    }
  }

  private static func quoted(_ text: some StringProtocol) -> String {
    String(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: " ")
  }
}
