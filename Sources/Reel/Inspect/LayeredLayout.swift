/// Where the boxes of a directed graph stand: in layers from top to bottom, so that arrows point down.
///
/// The method of Sugiyama, Tagawa and Toda (1981): layers by longest paths, places on every layer that long arrows pass,
/// an order within layers by barycentres, and then coordinates. For a given order those nearest to what each box wishes,
/// in the least squares sense, come from pooling neighbours that would overlap.
struct LayeredLayout {
  struct Size {
    var width, height: Double
  }

  /// The corner of every box.
  private(set) var corners: [(x: Double, y: Double)] = []
  /// The points that every arrow goes through, from the bottom of one box to the top of another.
  private(set) var routes: [[(x: Double, y: Double)]] = []
  private(set) var size = Size(width: 0, height: 0)

  private static let gap = (between: 14.0, layers: 34.0)
  /// More places for passing arrows than this make no picture that anyone can read; long arrows then go straight.
  private static let mostPassing = 20_000

  /// A box, or a place that an arrow passes.
  private struct Vertex {
    let size: Size
    let layer: Int
    var above: [Int] = []
    var below: [Int] = []
    var x = 0.0
  }

  private var vertices: [Vertex] = []
  private var layers: [[Int]] = []

  /// - Parameters:
  ///   - sizes: The size of every box.
  ///   - edges: From box to box; the first has a smaller index.
  ///   - isSource: Which boxes stand right above what uses them, as arguments and constants do.
  init(_ sizes: [Size], edges: [(from: Int, to: Int)], isSource: [Bool]) {
    let depths = Self.depths(sizes.count, edges, isSource)
    vertices = zip(sizes, depths).map { Vertex(size: $0, layer: $1) }
    let chains = connect(edges)
    layers = Array(repeating: [], count: (depths.max() ?? -1) + 1)
    for (index, vertex) in vertices.enumerated() { layers[vertex.layer].append(index) }
    order()
    place()
    finish(sizes.count, chains)
  }

  /// The layer of every box: one more than the deepest that it uses.
  private static func depths(_ count: Int, _ edges: [(from: Int, to: Int)], _ isSource: [Bool]) -> [Int] {
    var depths = [Int](repeating: 0, count: count)
    let byTarget = edges.sorted { $0.to < $1.to }
    for edge in byTarget { depths[edge.to] = max(depths[edge.to], depths[edge.from] + 1) }
    var nearest = [Int](repeating: .max, count: count)
    for edge in edges { nearest[edge.from] = min(nearest[edge.from], depths[edge.to] - 1) }
    for index in 0..<count where isSource[index] && nearest[index] != .max { depths[index] = nearest[index] }
    return depths
  }

  /// Adds places for arrows that pass layers, and gives the vertices of every arrow.
  private mutating func connect(_ edges: [(from: Int, to: Int)]) -> [[Int]] {
    let passing = edges.reduce(0) { $0 + vertices[$1.to].layer - vertices[$1.from].layer - 1 }
    return edges.map { edge in
      var chain = [edge.from]
      if passing <= Self.mostPassing {
        for layer in vertices[edge.from].layer + 1..<max(vertices[edge.to].layer, vertices[edge.from].layer + 1) {
          vertices.append(Vertex(size: Size(width: 4, height: 0), layer: layer))
          chain.append(vertices.count - 1)
        }
      }
      chain.append(edge.to)
      for (above, below) in zip(chain, chain.dropFirst()) {
        vertices[above].below.append(below)
        vertices[below].above.append(above)
      }
      return chain
    }
  }

  // MARK: - Order

  private mutating func order() {
    var rank = [Double](repeating: 0, count: vertices.count)
    for layer in layers { for (place, vertex) in layer.enumerated() { rank[vertex] = Double(place) } }
    for sweep in 0..<12 {
      let downwards = sweep % 2 == 0
      for layer in downwards ? Array(layers.indices) : layers.indices.reversed() {
        let keys = layers[layer].map { vertex in
          let others = downwards ? vertices[vertex].above : vertices[vertex].below
          return others.isEmpty ? rank[vertex] : others.reduce(0) { $0 + rank[$1] } / Double(others.count)
        }
        // Equal keys keep their order, so that the picture is the same in every run.
        let sorted = layers[layer].indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        layers[layer] = sorted.map { layers[layer][$0] }
        for (place, vertex) in layers[layer].enumerated() { rank[vertex] = Double(place) }
      }
    }
  }

  // MARK: - Coordinates

  private mutating func place() {
    for layer in layers {
      var x = 0.0
      for vertex in layer {
        vertices[vertex].x = x + vertices[vertex].size.width / 2
        x += vertices[vertex].size.width + Self.gap.between
      }
    }
    for sweep in 0..<10 {
      for layer in sweep % 2 == 0 ? Array(layers.indices) : layers.indices.reversed() {
        let wishes = layers[layer].map { vertex in
          let others = sweep % 2 == 0 ? vertices[vertex].above : vertices[vertex].below
          return others.isEmpty ? vertices[vertex].x : others.reduce(0) { $0 + vertices[$1].x } / Double(others.count)
        }
        for (vertex, x) in zip(layers[layer], centers(of: layers[layer], near: wishes)) { vertices[vertex].x = x }
      }
    }
  }

  /// The centres nearest to some wishes at which boxes in this order do not overlap.
  private func centers(of layer: [Int], near wishes: [Double]) -> [Double] {
    var offsets: [Double] = []
    for (place, vertex) in layer.enumerated() {
      let before = place == 0 ? 0 : (vertices[layer[place - 1]].size.width + vertices[vertex].size.width) / 2
      offsets.append((offsets.last ?? 0) + before + (place == 0 ? 0 : Self.gap.between))
    }
    var pools: [(sum: Double, count: Int)] = []
    for (wish, offset) in zip(wishes, offsets) {
      pools.append((wish - offset, 1))
      while pools.count > 1 {
        let (last, before) = (pools[pools.count - 1], pools[pools.count - 2])
        if before.sum / Double(before.count) <= last.sum / Double(last.count) { break }
        pools.removeLast()
        pools[pools.count - 1] = (before.sum + last.sum, before.count + last.count)
      }
    }
    let shifts = pools.flatMap { Array(repeating: $0.sum / Double($0.count), count: $0.count) }
    return zip(shifts, offsets).map { $0 + $1 }
  }

  private mutating func finish(_ boxes: Int, _ chains: [[Int]]) {
    let left = vertices.map { $0.x - $0.size.width / 2 }.min() ?? 0
    let heights = layers.map { layer in layer.map { vertices[$0].size.height }.max() ?? 0 }
    var tops: [Double] = []
    var y = 0.0
    for height in heights {
      tops.append(y)
      y += height + Self.gap.layers
    }
    size.height = max(y - Self.gap.layers, 0)
    size.width = (vertices.map { $0.x + $0.size.width / 2 }.max() ?? 0) - left
    corners = vertices[..<boxes].map { vertex in
      (vertex.x - left - vertex.size.width / 2, tops[vertex.layer] + (heights[vertex.layer] - vertex.size.height) / 2)
    }
    routes = chains.map { chain in
      chain.enumerated().flatMap { place, index -> [(x: Double, y: Double)] in
        let vertex = vertices[index]
        let x = vertex.x - left
        let (top, bottom) = (tops[vertex.layer], tops[vertex.layer] + heights[vertex.layer])
        // Arrows turn aside between layers only: beside a low box its layer may have a tall one.
        if place == 0 { return [(x, corners[index].y + vertex.size.height), (x, bottom)] }
        if place == chain.count - 1 { return [(x, top), (x, corners[index].y)] }
        return [(x, top), (x, bottom)]
      }
    }
  }
}
