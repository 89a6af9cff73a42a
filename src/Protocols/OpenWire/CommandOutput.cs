using System.Buffers;
using Pillarbox.Protocols.OpenWire.Wire;

namespace Pillarbox.Protocols.OpenWire;

/// <summary>Commands of the node to one peer, numbered; counts their bytes. Never flushes.</summary>
internal sealed class CommandOutput(IBufferWriter<byte> output)
{
    private readonly WireWriter _writer = new();
    private readonly MessageDispatch _dispatch = new();
    private int _lastCommand;
    private bool _isAgreed;

    /// <summary>Bytes written since the connection began.</summary>
    public long BytesWritten => _writer.BytesWritten;

    /// <summary>The connection's id as its client gave it; null: it has not said it.</summary>
    public ConnectionId? Connection { get; set; }

    /// <summary>From now on commands are written so.</summary>
    public void Use(WireFormat format)
    {
        _writer.Use(format);
        _isAgreed = true;
    }

    public void Write(WireFormatInfo info) => _writer.Write(info, output);

    public void Write(Command command)
    {
        command.CommandId = ++_lastCommand;
        _writer.Write(command, output);
    }

    /// <summary>The command with that number is done.</summary>
    public void Respond(int commandId) => Write(new Response { CorrelationId = commandId });

    /// <summary>It failed.</summary>
    public void Respond(int commandId, WireThrowable exception) =>
        Write(new ExceptionResponse { CorrelationId = commandId, Exception = exception });

    /// <summary>The command is not done, which its sender is told whether it asked for an answer or not.</summary>
    public void Refuse(Command command, WireThrowable exception)
    {
        if (command.ResponseRequired)
        {
            Respond(command.CommandId, exception);
        }
        else
        {
            TellError(exception);
        }
    }

    /// <summary>Something went wrong that is no command's answer. A peer that has not said how it reads is told
    /// nothing.</summary>
    public void TellError(WireThrowable exception)
    {
        if (_isAgreed)
        {
            Write(new ConnectionError { Exception = exception, ConnectionId = Connection });
        }
    }

    /// <summary>A message to a consumer; null: there is none.</summary>
    public void Dispatch(ConsumerId consumer, Destination destination, Message? message, int redeliveries)
    {
        _dispatch.ConsumerId = consumer;
        _dispatch.Destination = destination;
        _dispatch.Message = message;
        _dispatch.RedeliveryCounter = redeliveries;
        Write(_dispatch);
        _dispatch.Message = null;
    }
}
