// Parts along an axis: slices, what undoes them, and concatenation.

extension Pass {
  static let sliceRules: [RewriteRule] = [
    RewriteRule(Slice.self) { slice, site in
      let extent = site.shape(of: site.x)[slice.axis]
      // x from 0 by 1, all of it → x
      if slice.count == extent && slice.step == 1 { return site.x }
      // one element has no step
      if slice.count == 1 && slice.step != 1 {
        return site.emit(Slice(axis: slice.axis, start: slice.start, step: 1, count: 1), site.x)
      }
      if let found = site.ofSlice(slice) ?? site.ofConcatenate(slice) { return found }
      return site.ofUnslice(slice) ?? site.ofBroadcast(slice)
    },
    RewriteRule(Unslice.self) { unslice, site in
      let count = site.shape(of: site.x)[unslice.axis]
      // all places, in order → x
      if count == unslice.extent && unslice.step == 1 { return site.x }
      // all places, turned round → a slice
      if count == unslice.extent && unslice.step == -1 {
        return site.emit(Slice(axis: unslice.axis, start: count - 1, step: -1, count: count), site.x)
      }
      if count == 1 && unslice.step != 1 {
        return site.emit(Unslice(axis: unslice.axis, start: unslice.start, step: 1, extent: unslice.extent), site.x)
      }
      // zeros among zeros → zeros
      if let number = site.number(site.x), number == 0, number.sign == .plus { return site.filled(0) }
      // unslice (unslice x) → unslice x
      if let (inner, operands) = site.producer(of: site.x, Unslice.self), inner.axis == unslice.axis {
        let start = unslice.start + inner.start * unslice.step
        return site.emit(
          Unslice(axis: inner.axis, start: start, step: inner.step * unslice.step, extent: unslice.extent), operands)
      }
      return nil
    },
    RewriteRule(Gather.self) { gather, site in
      // parts at constant indices in equal steps, none out of range → slice
      guard let indices = site.constant(site.y)?.elements(as: Int32.self).map(Int.init), let first = indices.first
      else {
        return nil
      }
      let step = indices.count > 1 ? indices[1] - first : 1
      let range = 0..<site.shape(of: site.x)[gather.axis]
      guard step != 0, indices.enumerated().allSatisfy({ range.contains($1) && $1 == first + $0 * step }) else {
        return nil
      }
      return site.emit(Slice(axis: gather.axis, start: first, step: step, count: indices.count), site.x)
    },
    RewriteRule(Concatenate.self) { concatenate, site in
      var parts = site.flattened(concatenate)
      // nothing beside x → x
      if parts.count > 1 { parts.removeAll { site.shape(of: $0)[concatenate.axis] == 0 } }
      parts = site.joined(parts.isEmpty ? [site.x] : parts, along: concatenate.axis)
      if parts.count == 1 { return parts[0] }
      // parts that repeat one number → that number, repeated
      if let number = site.number(parts[0]),
        parts.allSatisfy({ site.number($0)?.bitPattern == number.bitPattern })
      {
        return site.filled(number)
      }
      return parts == site.operands ? nil : site.emit(concatenate, parts)
    },
  ]
}

// MARK: - Slices of …

extension RewriteSite {
  /// slice (slice x) → slice x, along one axis
  fileprivate func ofSlice(_ slice: Slice) -> Value? {
    guard let (inner, operands) = producer(of: x, Slice.self), inner.axis == slice.axis else { return nil }
    let start = slice.count == 0 ? 0 : inner.start + slice.start * inner.step
    return emit(
      Slice(axis: slice.axis, start: start, step: inner.step * slice.step, count: slice.count), operands)
  }

  /// slice (concatenate x, y) → slice x, where it lies within x
  fileprivate func ofConcatenate(_ slice: Slice) -> Value? {
    guard slice.count > 0, let (concatenate, parts) = producer(of: x, Concatenate.self), concatenate.axis == slice.axis
    else { return nil }
    let offsets = rewriter.offsets(of: x, concatenate)
    let last = slice.start + (slice.count - 1) * slice.step
    // The last part that starts at or before the lowest element.
    var (low, high) = (0, parts.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if offsets[middle] <= min(slice.start, last) { low = middle } else { high = middle - 1 }
    }
    guard max(slice.start, last) < offsets[low + 1] else { return nil }
    return emit(
      Slice(axis: slice.axis, start: slice.start - offsets[low], step: slice.step, count: slice.count), parts[low])
  }

  /// slice (unslice x) → slice x where it lies within, zeros where it lies outside, else unslice (slice x)
  fileprivate func ofUnslice(_ slice: Slice) -> Value? {
    guard slice.step == 1, let (unslice, operands) = producer(of: x, Unslice.self), unslice.axis == slice.axis,
      unslice.step == 1
    else { return nil }
    let count = shape(of: operands[0])[slice.axis]
    let (low, high) = (
      max(unslice.start, slice.start), min(unslice.start + count, slice.start + slice.count)
    )
    if low >= high { return filled(0) }
    let part = emit(Slice(axis: slice.axis, start: low - unslice.start, step: 1, count: high - low), operands[0])
    return emit(Unslice(axis: slice.axis, start: low - slice.start, step: 1, extent: slice.count), part)
  }

  /// slice (broadcast x) → broadcast (slice x), or broadcast x where the axis is repeated
  fileprivate func ofBroadcast(_ slice: Slice) -> Value? {
    guard let (_, operands) = producer(of: x, Broadcast.self) else { return nil }
    let source = shape(of: operands[0])
    let isRepeated = -slice.axis > source.rank || source[slice.axis] == 1
    return broadcast(isRepeated ? operands[0] : emit(slice, operands[0]), to: result.shape)
  }
}

// MARK: - Concatenations of …

extension RewriteSite {
  /// concatenate (concatenate x, y), z → concatenate x, y, z, along one axis
  fileprivate func flattened(_ concatenate: Concatenate) -> [Value] {
    operands.flatMap { operand in
      guard let (inner, parts) = producer(of: operand, Concatenate.self), inner == concatenate,
        rewriter.isUsedOnce(operand)
      else { return [operand] }
      return parts
    }
  }

  /// Neighbouring slices of one tensor that lie one after another there too → one slice.
  fileprivate func joined(_ parts: [Value], along axis: Int) -> [Value] {
    var result: [Value] = []
    var run: (slice: Slice, source: Value, first: Value)?
    func end() {
      guard let (slice, source, first) = run else { return }
      result.append(slice.count == shape(of: first)[axis] ? first : emit(slice, source))
      run = nil
    }
    for part in parts {
      guard let (slice, operands) = producer(of: part, Slice.self), slice.axis == axis, slice.count > 0 else {
        end()
        result.append(part)
        continue
      }
      if let (before, source, first) = run, source == operands[0], let joint = before.followed(by: slice) {
        run = (joint, source, first)
      } else {
        end()
        run = (slice, operands[0], part)
      }
    }
    end()
    return result
  }
}

extension Slice {
  /// The slice of what this one takes and then what the next one takes, if it is one. A single element goes with steps
  /// of 1 and -1.
  fileprivate func followed(by next: Slice) -> Slice? {
    let gap = next.start - (start + (count - 1) * step)
    let steps = Set([count > 1 ? step : gap, next.count > 1 ? next.step : gap, gap])
    guard steps.count == 1, count > 1 || next.count > 1 || abs(gap) == 1, gap != 0 else { return nil }
    return Slice(axis: axis, start: start, step: gap, count: count + next.count)
  }
}
