import Reel
import ReelTestSupport
import Testing

/// Every operation for every property.
@Suite struct OperationTableTests {
  @Test(arguments: OperationTable.rows)
  func theTypeRuleGivesTheTypeOfTheResult(row: OperationRow) throws {
    #expect(try row.typeFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func theKernelComputesWhatPlainCodeDoes(row: OperationRow) {
    #expect(row.valueFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func thePullbackGivesTheDerivative(row: OperationRow) {
    #expect(row.gradientFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func thePullbackCanBeDifferentiated(row: OperationRow) {
    #expect(row.secondOrderFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func theBatchingRuleGivesWhatALoopDoes(row: OperationRow) throws {
    #expect(try row.batchingFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func compiledCodeGivesTheBitsOfEagerCode(row: OperationRow) throws {
    #expect(try row.compiledFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func float32IsNearFloat64(row: OperationRow) {
    #expect(row.precisionFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func forwardModeGivesTheDerivativesOfReverseMode(row: OperationRow) throws {
    #expect(try row.forwardFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func theModesNestInEachOther(row: OperationRow) throws {
    #expect(try row.mixedFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func thePullbackCanBeDifferentiatedTwice(row: OperationRow) {
    #expect(row.thirdOrderFailure() == nil)
  }

  @Test(arguments: OperationTable.rows)
  func batchesOfBatchesGiveWhatTwoLoopsDo(row: OperationRow) throws {
    #expect(try row.nestedBatchingFailure() == nil)
  }
}
