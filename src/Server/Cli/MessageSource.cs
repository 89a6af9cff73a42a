using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Server.Cli;

/// <summary>
/// Where the messages of <c>send</c> come from: the same one many times, or one for each line of input.
/// </summary>
internal sealed class MessageSource : IDisposable
{
    private readonly AmqpMessage _envelope;
    private readonly byte[]? _same;
    private readonly StreamReader? _lines;
    private long _left;
    private Task<string?>? _line;

    private MessageSource(AmqpMessage envelope, byte[]? same, Stream? lines, long count)
    {
        _envelope = envelope;
        _same = same;
        _lines = lines is null ? null : new StreamReader(lines);
        _left = count;
    }

    /// <summary>Whether there are no more messages.</summary>
    public bool IsAtEnd { get; private set; }

    public static MessageSource FromText(AmqpMessage envelope, string text, long count) =>
        new(envelope, (envelope with { BodyKind = BodyKind.Value, Value = text }).ToArray(), null, count);

    public static MessageSource FromBytes(AmqpMessage envelope, byte[] bytes, long count) =>
        new(envelope, (envelope with { BodyKind = BodyKind.Data, Data = bytes }).ToArray(), null, count);

    public static MessageSource FromLines(AmqpMessage envelope, Stream input, long count) =>
        new(envelope, null, input, count);

    /// <summary>The next message, encoded; false when there is none yet, or <see cref="IsAtEnd"/>.</summary>
    public bool TryTake(out ReadOnlySpan<byte> message)
    {
        message = default;
        IsAtEnd |= _left <= 0;
        if (IsAtEnd)
        {
            return false;
        }
        if (_lines is null)
        {
            message = _same;
            _left--;
            return true;
        }
        _line ??= _lines.ReadLineAsync();
        if (!_line.IsCompleted)
        {
            return false;
        }
        string? line = _line.GetAwaiter().GetResult();
        _line = null;
        IsAtEnd = line is null;
        _left--;
        message = IsAtEnd ? default : (_envelope with { BodyKind = BodyKind.Value, Value = line }).ToArray();
        return !IsAtEnd;
    }

    public void Dispose() => _lines?.Dispose();
}
