using System.Globalization;
using System.Text.Json;
using Pillarbox.Model;

namespace Pillarbox.Storage.Quarantine;

/// <summary>
/// The files of an entry:
/// <code>
/// ID.entry   header (64 bytes)   record with the note, as JSON   the bytes, when they were copied
/// ID.bytes   the bytes, when they are a file that was moved here
/// </code>
/// </summary>
internal static class QuarantineFile
{
    public const string EntrySuffix = ".entry";
    public const string BytesSuffix = ".bytes";
    private const byte NoteType = 1;
    private const int NoteBytesMax = 64 << 10;

    public static string NameOf(long id, string suffix) => id.ToString("x16", CultureInfo.InvariantCulture) + suffix;

    /// <summary>The id in a name; 0 when it is no such name.</summary>
    public static long IdOf(string name) =>
        name.Length > 16 && long.TryParse(
            name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long id) && id > 0
            ? id
            : 0;

    /// <summary>Writes an entry, durably up to the name of the file.</summary>
    public static void Write(IFileSystem files, string path, QuarantineEntry entry, ReadOnlySpan<byte> bytes)
    {
        byte[] note = JsonSerializer.SerializeToUtf8Bytes(entry, QuarantineJson.Default.QuarantineEntry);
        byte[] head = new byte[FileHeader.Bytes + RecordFormat.HeaderBytes + note.Length];
        FileHeader.Write(head, FileKind.Quarantine, entry.Id);
        Span<byte> record = head.AsSpan(FileHeader.Bytes);
        note.CopyTo(record[RecordFormat.HeaderBytes..]);
        RecordFormat.WriteDraft(record, note.Length, NoteType, Crc32C.Append(Crc32C.Seed, note));
        RecordFormat.Finish(record, entry.Id, 0);
        using IFile file = files.Open(path, FileOpening.CreateNew);
        file.Write(0, head);
        file.Write(head.Length, bytes);
        file.Sync();
    }

    /// <summary>Reads the note of an entry; null when it is damaged itself. <paramref name="bytesAt"/>: where copied
    /// bytes begin. Throws <see cref="StorageException"/> when a newer program wrote it.</summary>
    public static QuarantineEntry? TryRead(IFile file, string path, long id, out long bytesAt)
    {
        bytesAt = 0;
        byte[] head = new byte[(int)Math.Min(file.Length, FileHeader.Bytes + RecordFormat.HeaderBytes + NoteBytesMax)];
        ReadOnlySpan<byte> read = head.AsSpan(0, file.Read(0, head));
        if (FileHeader.Check(read, FileKind.Quarantine, path, out long named) is not null || named != id)
        {
            return null;
        }

        ReadOnlySpan<byte> record = read[FileHeader.Bytes..];
        if (record.Length < RecordFormat.HeaderBytes
            || !RecordFormat.TryReadHeader(record, id, out RecordHeader header)
            || header.RecordBytes > record.Length
            || !RecordFormat.Verify(header, record[RecordFormat.HeaderBytes..header.RecordBytes], id))
        {
            return null;
        }

        bytesAt = FileHeader.Bytes + header.RecordBytes;
        ReadOnlySpan<byte> note = record[RecordFormat.HeaderBytes..header.RecordBytes];
        return JsonSerializer.Deserialize(note, QuarantineJson.Default.QuarantineEntry);
    }
}
