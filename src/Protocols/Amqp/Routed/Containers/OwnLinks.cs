using Pillarbox.Protocols.Amqp.Links;
using Pillarbox.Protocols.Amqp.Wire;

namespace Pillarbox.Protocols.Amqp.Routed.Containers;

/// <summary>
/// The links that the node keeps by itself on a connection to a container: it draws from the container's addresses, or
/// sends to them, as a client of its own network. Owned by the connection's loop, but for <see cref="Ask"/>.
/// </summary>
internal sealed class OwnLinks(ConnectionEndpoint connection, INetwork network)
{
    private readonly Dictionary<AutoLinkRun, Link?> _links = [];
    private readonly Dictionary<AutoLinkRun, AmqpSession> _begun = [];
    private readonly RoutedInbox _inbox = connection.Routed.Inbox;
    private AmqpSession? _session;

    /// <summary>A link is wanted, or no longer. Any thread.</summary>
    public void Ask(AutoLinkRun run, bool isWanted)
    {
        _inbox.Post(new RoutedEvent(RoutedEventKind.Call, new Order(this, run)) { Flag = isWanted });
        _inbox.Wake();
    }

    /// <summary>The connection is over: who waits for an answer hears so.</summary>
    public void OnConnectionOver()
    {
        foreach (AutoLinkRun run in _begun.Keys.ToArray())
        {
            Forget(run, "the connection was lost");
        }
    }

    private void Begin(AutoLinkRun run)
    {
        if (_links.ContainsKey(run))
        {
            return;
        }

        try
        {
            AmqpSession session = Session();
            if (!session.HasFreeHandle)
            {
                run.Watch.OnEnded(run, "there are too many links on the connection");
                return;
            }

            _links[run] = null;
            _begun[run] = session;
            session.BeginLink(AttachOf(run.Plan), answer => Make(run, session, answer));
        }
        catch (AmqpException fault)
        {
            Forget(run, fault.Message);
        }
    }

    private void End(AutoLinkRun run)
    {
        // Before its answer it is ended as soon as it is there.
        if (_links.Remove(run, out Link? link) && link is not null)
        {
            link.Session.Detach(link, error: null);
        }
    }

    private AmqpSession Session()
    {
        if (_session is null || _session.IsEnding)
        {
            AmqpSession made = connection.BeginSession();
            made.OnReleased = () => OnSessionOver(made);
            _session = made;
        }

        return _session;
    }

    private void OnSessionOver(AmqpSession session)
    {
        foreach (AutoLinkRun run in _begun.Where(begun => begun.Value == session).Select(b => b.Key).ToArray())
        {
            Forget(run, "the session ended");
        }
    }

    private Attach AttachOf(AutoLinkPlan plan)
    {
        string address = plan.ExternalAddress ?? plan.Address;
        return new Attach
        {
            Name = TrunkLinks.NewName(connection.Environment.Random),
            Handle = 0,
            Role = plan.IsIncoming ? Role.Receiver : Role.Sender,
            Source = new Source { Address = plan.IsIncoming ? address : null },
            Target = new Target { Address = plan.IsIncoming ? null : address },
            InitialDeliveryCount = plan.IsIncoming ? null : 0,
        };
    }

    private Link Make(AutoLinkRun run, AmqpSession session, Attach answer)
    {
        _begun.Remove(run);
        bool isWanted = _links.ContainsKey(run);
        Link link = run.Plan.IsIncoming
            ? MakeIncoming(run, session, answer, isWanted)
            : MakeOutgoing(run, session, answer, isWanted);
        _links[run] = link;
        if (!isWanted)
        {
            // It is ended behind this, when it has its place in the session.
            Ask(run, isWanted: false);
        }

        return link;
    }

    // A container that refuses answers without a terminus, and detaches.
    private RoutedOutgoingLink MakeOutgoing(AutoLinkRun run, AmqpSession session, Attach answer, bool isWanted)
    {
        AutoLinkPlan plan = run.Plan;
        IRoute? route = null;
        RoutedOutgoingLink? link = null;
        link = new RoutedOutgoingLink(session, answer, peer: null)
        {
            Address = plan.Address,
            OnReleased = () =>
            {
                if (route is not null)
                {
                    network.CloseReceiverAt(route, link!.Outlet);
                }

                Forget(run, TextOf(link!.PeerError));
            },
        };
        if (isWanted && answer.Target is Target)
        {
            var place = new RoutePlace(plan.IsFallback ? RoutePlace.Fallback : plan.Phase, plan.IsFallback);
            route = network.OpenReceiverAt(plan.Address, place, link.Outlet);
            TellAttached(run, route, link.Number);
        }

        return link;
    }

    private RoutedIncomingLink MakeIncoming(AutoLinkRun run, AmqpSession session, Attach answer, bool isWanted)
    {
        AutoLinkPlan plan = run.Plan;
        RoutedIncomingLink? link = null;
        link = new RoutedIncomingLink(session, answer, RoutedSender.ToAddress)
        {
            IsFallback = plan.IsFallback,
            OnReleased = () => Forget(run, TextOf(link!.PeerError)),
        };
        if (isWanted && answer.Source is not null)
        {
            var watch = new EarlyWatch { CountsFallback = !plan.IsFallback };
            var place = new RoutePlace(plan.Phase, plan.IsFallback);
            IRoute? route = network.OpenSenderAt(plan.Address, place, watch);
            if (route is not null)
            {
                link.SetRoute(route, watch);
            }

            TellAttached(run, route, link.Number);
        }

        return link;
    }

    private void TellAttached(AutoLinkRun run, IRoute? route, long number)
    {
        if (route is not null)
        {
            run.Watch.OnAttached(run, number);
        }
        else
        {
            Ask(run, isWanted: false);
        }
    }

    private void Forget(AutoLinkRun run, string? error)
    {
        _links.Remove(run);
        _begun.Remove(run);
        run.Watch.OnEnded(run, error);
    }

    private static string? TextOf(AmqpError? error) =>
        error is null ? null
        : error.Description is { Length: > 0 } text ? $"{error.Condition}: {text}" : error.Condition;

    /// <summary>A wish on its way to the loop.</summary>
    private sealed class Order(OwnLinks links, AutoLinkRun run) : IRoutedCall
    {
        public void Run(in RoutedEvent crossing)
        {
            if (crossing.Flag)
            {
                links.Begin(run);
            }
            else
            {
                links.End(run);
            }
        }

        public void OnGone(in RoutedEvent crossing)
        {
            if (crossing.Flag)
            {
                run.Watch.OnEnded(run, "the connection was lost");
            }
        }
    }
}
