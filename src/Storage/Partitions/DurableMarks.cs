using System.Buffers.Binary;
using System.Text;
using Pillarbox.Model;

namespace Pillarbox.Storage.Partitions;

/// <summary>
/// How far each partition is durable, in one file of all partitions, written behind each group commit and synced now
/// and then. So a start can tell what was durable once and is damaged now from the torn end of a write: a mark is only
/// ever behind the truth. Little-endian:
/// <code>
/// header (64 bytes)  slot 0  slot 1 ...       slot (32 bytes): u64 key of the partition | i64 offset | 12 bytes 0 |
///                                             u32 CRC32C of the bytes before and the slot's number
/// </code>
/// A slot does not cross a sector, so a power cut leaves it old or new. What cannot be written is no error: the marks
/// are evidence, not data. The flusher's, but for what is said otherwise.
/// </summary>
internal sealed class DurableMarks : IDisposable
{
    public const string Name = "durable.marks";
    private const int SlotBytes = 32;
    private const int CrcOffset = SlotBytes - sizeof(uint);
    private const int SlotsMin = 128;
    private const int SlotsMax = 1 << 22;

    private readonly Lock _gate = new();
    private readonly IFileSystem _files;
    private readonly string _directory;
    private readonly Dictionary<ulong, int> _slots = [];
    private readonly Stack<int> _free = new();
    private readonly HashSet<ulong> _used = [];
    private byte[] _image = [];
    private int _count;
    private int _dirtyFrom = int.MaxValue;
    private int _dirtyTo;
    private bool _isUnsynced;
    private bool _isBroken;
    private IFile? _file;

    private DurableMarks(IFileSystem files, string directory)
    {
        _files = files;
        _directory = directory;
    }

    /// <summary>Whether something was written and not synced.</summary>
    public bool IsUnsynced => _isUnsynced;

    private string FilePath => _directory + "/" + Name;

    /// <summary>Reads the marks of the last run; none when the file is not there, or is damaged. Throws
    /// <see cref="StorageException"/> when a newer program wrote it.</summary>
    public static DurableMarks Open(IFileSystem files, string directory)
    {
        var marks = new DurableMarks(files, directory);
        if (files.Exists(marks.FilePath))
        {
            marks.Load();
        }

        return marks;
    }

    /// <summary>The offset below which a partition was surely durable; 0 when nobody knows. Any thread.</summary>
    public long Find(string folder, int partition)
    {
        lock (_gate)
        {
            ulong key = KeyOf(folder, partition);
            _used.Add(key);
            return _slots.TryGetValue(key, out int slot)
                ? BinaryPrimitives.ReadInt64LittleEndian(SlotOf(slot)[8..])
                : 0;
        }
    }

    /// <summary>All partitions are open: marks of others may go. Any thread.</summary>
    public void EndRecovery()
    {
        lock (_gate)
        {
            foreach ((ulong key, int slot) in _slots.Where(slot => !_used.Contains(slot.Key)).ToArray())
            {
                _slots.Remove(key);
                _free.Push(slot);
            }
        }
    }

    /// <summary>Everything below an offset is durable. Its mark is on disk after <see cref="Write"/> and
    /// <see cref="Sync"/>.</summary>
    public void Note(ulong key, long offset)
    {
        lock (_gate)
        {
            if (!_slots.TryGetValue(key, out int slot) && !TryAdd(key, out slot))
            {
                return;
            }

            Span<byte> bytes = SlotOf(slot);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, key);
            BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], offset);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[CrcOffset..], CrcOf(bytes, slot));
            _dirtyFrom = Math.Min(_dirtyFrom, slot);
            _dirtyTo = Math.Max(_dirtyTo, slot + 1);
        }
    }

    /// <summary>Hands what was noted to the system, in one write.</summary>
    public void Write()
    {
        if (_isBroken || _dirtyFrom >= _dirtyTo)
        {
            return;
        }

        try
        {
            _file ??= Make();
            lock (_gate)
            {
                _file.Write(
                    FileHeader.Bytes + ((long)_dirtyFrom * SlotBytes),
                    _image.AsSpan(_dirtyFrom * SlotBytes, (_dirtyTo - _dirtyFrom) * SlotBytes));
                _dirtyFrom = int.MaxValue;
                _dirtyTo = 0;
            }

            _isUnsynced = true;
        }
        catch (StorageFullException)
        {
            // Tried again with the next ones: older marks are true as well.
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            _isBroken = true;
        }
    }

    /// <summary>Makes what was written durable.</summary>
    public void Sync()
    {
        if (!_isUnsynced || _isBroken)
        {
            return;
        }

        _isUnsynced = false;
        try
        {
            _file!.Sync();
        }
        catch (Exception error) when (error is StorageException or IOException)
        {
            // What is on disk is older, and true. A file that failed once is not trusted with more.
            _isBroken = true;
        }
    }

    public void Dispose()
    {
        Write();
        Sync();
        _file?.Dispose();
    }

    /// <summary>The key of a partition: 64 bits of a hash of its place.</summary>
    public static ulong KeyOf(string folder, int partition)
    {
        ulong hash = 14695981039346656037;
        foreach (byte one in Encoding.UTF8.GetBytes($"{folder}/{partition}"))
        {
            hash = (hash ^ one) * 1099511628211;
        }

        hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }

    private static uint CrcOf(ReadOnlySpan<byte> slot, int number) =>
        Crc32C.Finish(Crc32C.Append(Crc32C.Append(Crc32C.Seed, slot[..CrcOffset]), (ulong)number));

    private Span<byte> SlotOf(int slot) => _image.AsSpan(slot * SlotBytes, SlotBytes);

    private bool TryAdd(ulong key, out int slot)
    {
        if (!_free.TryPop(out slot))
        {
            if (_count == SlotsMax)
            {
                return false;
            }

            slot = _count++;
            if (_count * SlotBytes > _image.Length)
            {
                Array.Resize(ref _image, Math.Max(SlotsMin * SlotBytes, _image.Length * 2));
            }
        }

        _slots[key] = slot;
        return true;
    }

    private IFile Make()
    {
        IFile file = _files.Open(FilePath, FileOpening.OpenOrCreate);
        try
        {
            Span<byte> header = stackalloc byte[FileHeader.Bytes];
            FileHeader.Write(header, FileKind.Marks, 0);
            file.Write(0, header);
            _files.SyncDirectory(_directory);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Load()
    {
        using IFile file = _files.Open(FilePath, FileOpening.Read);
        Span<byte> header = stackalloc byte[FileHeader.Bytes];
        if (FileHeader.Check(header[..file.Read(0, header)], FileKind.Marks, FilePath, out _) is not null)
        {
            return;
        }

        long slots = Math.Min((file.Length - FileHeader.Bytes) / SlotBytes, SlotsMax);
        _image = new byte[slots * SlotBytes];
        _count = file.Read(FileHeader.Bytes, _image) / SlotBytes;
        for (int slot = 0; slot < _count; slot++)
        {
            ReadOnlySpan<byte> bytes = SlotOf(slot);
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcOffset..]) == CrcOf(bytes, slot))
            {
                _slots[BinaryPrimitives.ReadUInt64LittleEndian(bytes)] = slot;
            }
            else
            {
                _free.Push(slot);
            }
        }
    }
}
