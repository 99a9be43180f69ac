import Reel
import ReelTestSupport

/// Every operation with a place to try it and plain code for its value. An operation without a row fails the suite.
enum OperationTable {
  static let rows: [OperationRow] =
    unary + arithmetic + masks + products + reductions + movement + joining + gathering + windowing + sources
    + programs + compilerMade

  typealias Row = OperationRow
}
