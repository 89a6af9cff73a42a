using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.Model;
using Pillarbox.Protocols.Amqp.Policy;
using Pillarbox.Protocols.Amqp.Routed.Containers;

namespace Pillarbox.Protocols.Amqp.Routed;

/// <summary>Who sent a message to something inside the node: a connection of this node, which may be that of a router
/// that passed it on.</summary>
public readonly struct ServiceCaller
{
    /// <summary>The node itself, or whoever it trusts.</summary>
    public static readonly ServiceCaller Node = new(isTrusted: true);

    private readonly ConnectionEndpoint? _connection;
    private readonly bool _isTrusted;

    internal ServiceCaller(ConnectionEndpoint? connection) => _connection = connection;

    private ServiceCaller(bool isTrusted) => _isTrusted = isTrusted;

    /// <summary>The connection's rules; null: there are none for it.</summary>
    public ConnectionPolicy? Policy => _connection?.Policy;

    /// <summary>What begins links on its connection; null: it came by another router, or from within the
    /// node.</summary>
    public LinkCarrier? Carrier =>
        _connection is { Role: not ConnectionRole.InterRouter } connection ? connection.NeedCarrier() : null;

    /// <summary>
    /// Whether it may change how the node is configured: its user has the permission to manage everything, or there are
    /// no permissions. Who sent what another router passed on is not known here: it may not.
    /// </summary>
    public bool MayManage()
    {
        if (_isTrusted || _connection is not { } connection)
        {
            return _isTrusted;
        }

        return connection.Role == ConnectionRole.Normal
            ? Has(connection, Permission.Manage, "#")
            : connection.Environment.Broker.Authorizer.Config is null;
    }

    /// <summary>
    /// Whether it may take for itself what others send to addresses of a pattern, or serve those who draw from them:
    /// its user could draw from them all, or send to them all, as another router, an edge and a broker can.
    /// </summary>
    public bool MayStandFor(string pattern, bool isForSenders)
    {
        if (_isTrusted || _connection is not { } connection)
        {
            return _isTrusted;
        }

        return connection.Role != ConnectionRole.Normal
            || Has(connection, isForSenders ? Permission.Consume : Permission.Send, pattern);
    }

    private static bool Has(ConnectionEndpoint connection, Permission permission, string pattern)
    {
        Authorizer authorizer = connection.Environment.Broker.Authorizer;
        try
        {
            if (authorizer.Config is not null)
            {
                authorizer.Authorize(
                    connection.Identity, permission, connection.AddressSpace, new AddressName(pattern, null));
            }

            return true;
        }
        catch (BrokerException)
        {
            return false;
        }
    }
}
