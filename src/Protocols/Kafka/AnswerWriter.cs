using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Microsoft.Win32.SafeHandles;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Transport;

namespace Pillarbox.Protocols.Kafka;

/// <summary>
/// Puts answers on a connection's output: size, header, body, and the records that the codec left out. Many of them go
/// from where they are (the log's memory or its file) to the socket, where the output can do that; else they are copied
/// into the output's buffers. Flushes as it goes, so that a large answer to a slow peer holds no more memory than a
/// small one.
/// </summary>
internal sealed class AnswerWriter(PipeWriter output, int bytesPerFlush) : IDisposable
{
    private const int ChunkBytes = 64 << 10;

    // Less is copied faster than a call to the system of its own takes.
    private const int DirectBytesMin = 32 << 10;

    private readonly KafkaWriter _writer = new();
    private readonly IDirectOutput? _direct = output as IDirectOutput;
    private long _unflushed;

    /// <summary>Writes one answer. Throws when the peer is gone or the disk fails.</summary>
    public async ValueTask WriteAsync(ApiCall call)
    {
        call.WriteAnswer(_writer);
        if (call.Session.Throttle.OnAnswer(call, _writer.Length))
        {
            _writer.Clear();
            call.WriteAnswer(_writer);
        }

        Prefix(checked((int)_writer.Length));
        ReadOnlyMemory<byte> written = _writer.Written;
        int from = 0;
        foreach (RecordHole hole in _writer.Holes)
        {
            Write(written.Span[from..hole.Position]);
            from = hole.Position;
            await FillAsync(hole.Records);
        }

        Write(written.Span[from..]);
        _writer.Clear();
        if (_unflushed >= bytesPerFlush)
        {
            await FlushAsync();
        }
    }

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync()
    {
        if (_unflushed == 0)
        {
            return;
        }

        _unflushed = 0;
        FlushResult result = await output.FlushAsync();
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new IOException("the peer reads no more");
        }
    }

    public void Dispose() => _writer.Dispose();

    private async ValueTask FillAsync(RecordBytes records)
    {
        if (_direct is null || records.Source is not { Length: >= DirectBytesMin } source)
        {
            await CopyAsync(records);
        }
        else if (source.TryGetFile(out SafeFileHandle? file, out long offset))
        {
            await _direct.SendFileAsync(file, offset, source.Length);
            _unflushed = 0;
        }
        else if (source.Memory.Count > 0)
        {
            foreach (ReadOnlyMemory<byte> part in source.Memory)
            {
                await _direct.SendAsync(part);
            }

            _unflushed = 0;
        }
        else
        {
            // In a file that the system does not know.
            await CopyAsync(records);
        }
    }

    private async ValueTask CopyAsync(RecordBytes records)
    {
        for (int done = 0; done < records.Length;)
        {
            int count = Math.Min(ChunkBytes, records.Length - done);
            Fill(records, done, count);
            done += count;
            if (_unflushed >= bytesPerFlush)
            {
                await FlushAsync();
            }
        }
    }

    private void Fill(RecordBytes records, int from, int count)
    {
        Span<byte> target = output.GetSpan(count)[..count];
        if (records.Source is { } source)
        {
            source.CopyTo(from, target);
        }
        else
        {
            records.Memory.Span.Slice(from, count).CopyTo(target);
        }

        output.Advance(count);
        _unflushed += count;
    }

    private void Prefix(int size)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(sizeof(int)), size);
        output.Advance(sizeof(int));
        _unflushed += sizeof(int);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        _unflushed += bytes.Length;
    }
}
