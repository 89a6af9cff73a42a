using Pillarbox.Protocols.Amqp.Routed.Reading;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Edges;

/// <summary>
/// Requests of an edge to services of the interior, and their answers: each service is sent to by a link of its own,
/// and
/// the answers come to an address that the interior makes for the edge. What is asked before the links are there waits
/// for them. Owned by the connection's loop.
/// </summary>
internal sealed class UplinkQuestions(ConnectionEndpoint connection) : ITicked
{
    /// <summary>Where the interior says what it knows of an address.</summary>
    public const string LookupAddress = "_$qd.addr_lookup";

    /// <summary>Where the interior's management agent is.</summary>
    public const string ManagementAddress = "$management";

    /// <summary>How long the answer to a look-up is waited for, in milliseconds.</summary>
    public const int LookupMsMax = 3000;

    /// <summary>How long an answer of the agent is waited for, in milliseconds.</summary>
    public const int ManagementMsMax = 10_000;

    /// <summary>Requests at once; of further ones it is said that nobody answers.</summary>
    public const int AskedMax = 10_000;

    private const int TickMs = 500;

    private readonly Service _lookup = new(LookupAddress);
    private readonly Service _management = new(ManagementAddress);
    private readonly Dictionary<ulong, Question> _asked = [];
    private ITimer? _timer;
    private string? _replyTo;
    private ulong _lastId;
    private bool _isOver;

    /// <summary>Begins the links.</summary>
    public void Begin(AmqpSession session)
    {
        session.BeginLink(NewAttach(Role.Receiver, null), answer => MakeReplies(session, answer));
        foreach (Service service in (Service[])[_lookup, _management])
        {
            session.BeginLink(
                NewAttach(Role.Sender, service.Address), answer => MakeRequests(session, answer, service));
        }

        var period = TimeSpan.FromMilliseconds(TickMs);
        _timer = connection.Environment.Time.CreateTimer(
            static self => ((UplinkQuestions)self!).PostTick(), this, period, period);
    }

    /// <summary>Asks what is known of an address; the answer is null when none comes.</summary>
    public void Look(string address, bool toSend, Action<AmqpMessage?> onAnswer)
    {
        var properties = new AmqpMap();
        properties.Add("version", 1u);
        properties.Add("opcode", 1u);
        Ask(_lookup, LookupMsMax, properties, AmqpValue.List(address, toSend), onAnswer);
    }

    /// <summary>Asks the management agent for something; the answer is null when none comes.</summary>
    public void Manage(AmqpMap properties, AmqpMap body, Action<AmqpMessage?> onAnswer) =>
        Ask(_management, ManagementMsMax, properties, AmqpValue.Map(body), onAnswer);

    /// <inheritdoc/>
    public void OnTick()
    {
        long now = connection.Environment.SteadyMs;
        foreach (Question late in _asked.Values.Where(question => question.DueMs <= now).ToArray())
        {
            Conclude(late, null);
        }
    }

    /// <summary>The connection is over: nothing will be answered.</summary>
    public void OnConnectionOver()
    {
        _isOver = true;
        _timer?.Dispose();
        Fail(_ => true);
    }

    private void Ask(
        Service service, int patienceMs, AmqpMap properties, AmqpValue body, Action<AmqpMessage?> onAnswer)
    {
        if (_isOver || service.IsOver || _asked.Count >= AskedMax)
        {
            onAnswer(null);
            return;
        }

        long dueMs = connection.Environment.SteadyMs + patienceMs;
        var question = new Question(++_lastId, service, properties, body, dueMs, onAnswer);
        _asked.Add(question.Id, question);
        service.Waiting.Enqueue(question);
        SendWaiting(service);
    }

    private void SendWaiting(Service service)
    {
        while (_replyTo is not null && service.Link is { } link
            && service.Waiting.TryDequeue(out Question? question))
        {
            if (!_asked.ContainsKey(question.Id))
            {
                continue;
            }

            link.Send(new AmqpMessage
            {
                Properties = new MessageProperties
                {
                    To = service.Address,
                    ReplyTo = _replyTo,
                    CorrelationId = question.Id,
                },
                ApplicationProperties = question.Properties,
                BodyKind = BodyKind.Value,
                Value = question.Body,
            }.ToArray());
        }
    }

    private void OnReply(ReadOnlySpan<byte> message)
    {
        AmqpMessage reply;
        try
        {
            reply = AmqpMessage.Read(message);
        }
        catch (AmqpException)
        {
            // It answers nothing: who asked hears so in time.
            return;
        }

        if (reply.Properties?.CorrelationId is { } id && id.TryGetInt64(out long number)
            && _asked.TryGetValue((ulong)number, out Question? question))
        {
            Conclude(question, reply);
        }
    }

    private void Conclude(Question question, AmqpMessage? answer)
    {
        if (_asked.Remove(question.Id))
        {
            question.OnAnswer(answer);
        }
    }

    private void Fail(Func<Question, bool> which)
    {
        foreach (Question question in _asked.Values.Where(which).ToArray())
        {
            Conclude(question, null);
        }
    }

    private ControlIncomingLink MakeReplies(AmqpSession session, Attach answer)
    {
        _replyTo = answer.Source?.Address;
        var link = new ControlIncomingLink(session, answer, OnReply, onLost: () =>
        {
            _isOver = true;
            Fail(_ => true);
        });
        SendWaiting(_lookup);
        SendWaiting(_management);
        return link;
    }

    private ControlOutgoingLink MakeRequests(AmqpSession session, Attach answer, Service service)
    {
        service.Link = new ControlOutgoingLink(session, answer, onLost: () =>
        {
            (service.IsOver, service.Link) = (true, null);
            Fail(question => question.Service == service);
        });
        SendWaiting(service);
        return service.Link;
    }

    private void PostTick()
    {
        connection.Routed.Inbox.Post(new RoutedEvent(RoutedEventKind.Tick, this));
        connection.Routed.Inbox.Wake();
    }

    private Attach NewAttach(Role role, string? target) => new()
    {
        Name = TrunkLinks.NewName(connection.Environment.Random),
        Handle = 0,
        Role = role,
        Source = new Source { Dynamic = role == Role.Receiver, ExpiryPolicy = TerminusExpiryPolicy.LinkDetach },
        Target = new Target { Address = target, ExpiryPolicy = TerminusExpiryPolicy.LinkDetach },
        InitialDeliveryCount = role == Role.Sender ? 0 : null,
    };

    /// <summary>One of the interior's services.</summary>
    private sealed class Service(string address)
    {
        public string Address { get; } = address;

        public ControlOutgoingLink? Link { get; set; }

        /// <summary>Whether the interior has none.</summary>
        public bool IsOver { get; set; }

        /// <summary>What was asked before the links were there.</summary>
        public Queue<Question> Waiting { get; } = new();
    }

    private sealed record Question(
        ulong Id, Service Service, AmqpMap Properties, AmqpValue Body, long DueMs, Action<AmqpMessage?> OnAnswer);
}
