using Pillarbox.Hosting.Configuration;

namespace Pillarbox.Hosting.RouterConf;

/// <summary>The entities of a <c>qdrouterd.conf</c> that are about links to brokers.</summary>
internal static class ContainerReader
{
    private static readonly (string, LinkDirection)[] Directions =
        [("in", LinkDirection.In), ("out", LinkDirection.Out)];

    public static AutoLinkConfig ReadAutoLink(EntityReader reader)
    {
        reader.RequireOneOf("connection", "containerId");
        return new AutoLinkConfig
        {
            Name = reader.Text("name"),
            Address = reader.Require("address", "addr"),
            Direction = DirectionOf(reader),
            Phase = reader.Has("phase") ? reader.Number("phase", 0, 0, 9) : null,
            Connection = reader.Text("connection"),
            ContainerId = reader.Text("containerId"),
            ExternalAddress = reader.Text("externalAddress", "externalAddr"),
            Fallback = reader.Truth("fallback"),
        };
    }

    public static LinkRouteConfig ReadLinkRoute(EntityReader reader)
    {
        reader.RequireOneOf("prefix", "pattern");
        reader.RequireOneOf("connection", "containerId");
        return new LinkRouteConfig
        {
            Name = reader.Text("name"),
            Prefix = reader.Text("prefix"),
            Pattern = reader.Text("pattern"),
            Direction = DirectionOf(reader),
            Connection = reader.Text("connection"),
            ContainerId = reader.Text("containerId"),
            AddExternalPrefix = reader.Text("addExternalPrefix"),
            DelExternalPrefix = reader.Text("delExternalPrefix"),
        };
    }

    // The outdated name of the attribute is still written.
    private static LinkDirection DirectionOf(EntityReader reader)
    {
        reader.RequireOneOf("direction", "dir");
        return reader.Choice(reader.Has("direction") ? "direction" : "dir", LinkDirection.In, Directions);
    }
}
