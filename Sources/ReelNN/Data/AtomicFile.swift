#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
import Foundation

/// Replaces files so that whoever reads one, at any time and after any crash, finds it whole: as it was, or as it is now.
///
/// The bytes go into a temporary file of the same folder, which is flushed to the disk and then takes the place of the
/// file; the folder is flushed last, for the new name is in it. A temporary file is locked while it is written, so that
/// those of processes that died can be told and are removed by the next write.
struct AtomicFile {
  private let target: String
  private let descriptor: Int32

  /// Writes a file.
  ///
  /// - Parameters:
  ///   - path: The file; a symbolic link is followed.
  ///   - body: Gives the bytes, from first to last.
  /// - Throws: ``DataError``; the file is then what it was before.
  static func replace(
    _ path: String, _ body: (AtomicFile) throws(DataError) -> Void
  ) throws(DataError) {
    let target = resolved(path)
    let folder = target.deletingLastPathComponent().path
    removeLeftovers(of: target.lastPathComponent, in: folder)
    let (temporary, descriptor) = try makeTemporary(for: target, path: path)
    defer { close(descriptor) }
    do throws(DataError) {
      // A file that is replaced keeps its permissions.
      var status = stat()
      if stat(target.path, &status) == 0 { _ = fchmod(descriptor, status.st_mode & 0o7777) }
      try body(AtomicFile(target: path, descriptor: descriptor))
      guard flush(descriptor) else { throw failure(path, "cannot be flushed to the disk") }
      guard rename(temporary, target.path) == 0 else { throw failure(path, "cannot be replaced") }
    } catch {
      unlink(temporary)
      throw error
    }
    flushFolder(folder)
  }

  /// Appends bytes.
  func append(_ bytes: UnsafeRawBufferPointer) throws(DataError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      // More than 2³¹ bytes at once are refused on some systems.
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      let count = write(descriptor, part.baseAddress, part.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(target, "cannot be written") }
      rest = rest.dropFirst(count)
    }
  }

  /// Appends bytes.
  func append(_ bytes: [UInt8]) throws(DataError) {
    let result = bytes.withUnsafeBytes { bytes in Result { () throws(DataError) in try append(bytes) } }
    try result.get()
  }

  private static func failure(_ path: String, _ problem: String) -> DataError {
    DataError(path: path, problem: "\(problem): \(String(cString: strerror(errno)))")
  }

  /// Where a path leads, so that the file behind a symbolic link is replaced and not the link.
  private static func resolved(_ path: String) -> URL {
    guard let real = realpath(path, nil) else { return URL(fileURLWithPath: path) }
    defer { free(real) }
    return URL(fileURLWithPath: String(cString: real))
  }

  // MARK: - Temporary files

  private static func makeTemporary(
    for target: URL, path: String
  ) throws(DataError) -> (path: String, descriptor: Int32) {
    let folder = target.deletingLastPathComponent()
    while true {
      let name = ".\(target.lastPathComponent).\(getpid())-\(UInt32.random(in: 0 ... .max)).partial"
      let temporary = folder.appendingPathComponent(name).path
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        if errno == EEXIST { continue }
        throw failure(path, "cannot be written")
      }
      _ = flock(descriptor, LOCK_EX | LOCK_NB)
      // Another write may have taken the file for a leftover before it was locked.
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (temporary, descriptor) }
      close(descriptor)
    }
  }

  private static func removeLeftovers(of name: String, in folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for leftover in names where leftover.hasPrefix(".\(name).") && leftover.hasSuffix(".partial") {
      let file = "\(folder)/\(leftover)"
      let descriptor = open(file, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(file) }
      close(descriptor)
    }
  }

  // MARK: - The disk

  private static func flush(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
    // There `fsync` leaves the bytes in the memory of the disk.
    if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
    #endif
    return fsync(descriptor) == 0
  }

  /// Where a folder cannot be flushed, the file system has its own ways; the file itself is whole.
  private static func flushFolder(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = flush(descriptor)
    close(descriptor)
  }
}
