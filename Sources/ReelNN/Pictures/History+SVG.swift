import Reel

extension History {
  /// A picture of the training: a chart for the loss and one for each metric over the epochs, validation beside training.
  ///
  ///     try history.svg().write(to: "training.svg")
  public func svg() -> SVG { .training(values, names: names, epochs: epochs) }
}
