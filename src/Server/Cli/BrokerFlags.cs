using Pillarbox.Hosting.Configuration;
using Pillarbox.Protocols.Amqp;

namespace Pillarbox.Server.Cli;

/// <summary>The short forms for addresses that lead to a broker: <c>--waypoint</c> and <c>--link-route</c>.</summary>
internal static class BrokerFlags
{
    /// <summary>Adds what the flags say, for the one connection to a broker. Throws <see cref="ConfigException"/>
    /// when there is none, or more than one.</summary>
    public static RouterSection Add(RouterSection router, string[] waypoints, string[] linkRoutes)
    {
        if (waypoints.Length + linkRoutes.Length == 0)
        {
            return router;
        }

        string[] brokers =
        [
            .. router.Connectors.Where(entry => entry.Value.Role == ConnectionRole.RouteContainer).Select(e => e.Key),
        ];
        if (brokers.Length != 1)
        {
            throw new ConfigException(
                "--waypoint and --link-route need one broker to go to, --connect route-container=HOST:PORT; "
                + $"there are {brokers.Length}: name connections in router.autoLinks and router.linkRoutes");
        }

        string broker = brokers[0];
        return router with
        {
            Addresses =
            [
                .. router.Addresses,
                .. waypoints.Select(address => new RouterAddressConfig { Pattern = address, Waypoint = true }),
            ],
            AutoLinks =
            [
                .. router.AutoLinks,
                .. waypoints.SelectMany(address => BothWays(
                    way => new AutoLinkConfig { Address = address, Direction = way, Connection = broker })),
            ],
            LinkRoutes =
            [
                .. router.LinkRoutes,
                .. linkRoutes.SelectMany(prefix => BothWays(
                    way => new LinkRouteConfig { Prefix = prefix, Direction = way, Connection = broker })),
            ],
        };
    }

    private static IEnumerable<T> BothWays<T>(Func<LinkDirection, T> make) =>
        [make(LinkDirection.In), make(LinkDirection.Out)];
}
