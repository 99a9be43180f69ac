/// The types of what a function gives for operands of some types: it is recorded, and the recording thrown away.
package func stagedTypes(_ types: [TensorType], _ function: ([Tensor]) -> [Tensor]) -> [TensorType] {
  var results: [TensorType] = []
  _ = Tape.loopBody(types) { operands in
    let tensors = function(operands)
    results = tensors.map(\.type)
    return tensors
  }
  return results
}
