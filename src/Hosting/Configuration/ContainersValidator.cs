namespace Pillarbox.Hosting.Configuration;

/// <summary>What links to containers must fulfil.</summary>
internal static class ContainersValidator
{
    public static void Validate(RouterSection router, string source)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < router.AutoLinks.Count; i++)
        {
            AutoLinkConfig link = router.AutoLinks[i];
            string path = $"router.autoLinks[{i}]";
            Require(link.Address.Length > 0, source, $"{path}.address", "must name an address");
            Require(link.Phase is null or (>= 0 and <= 9), source, $"{path}.phase", "must be from 0 to 9");
            ValidateFor(link.Connection, link.ContainerId, source, path);
            Require(link.Name is null || names.Add(link.Name), source, $"{path}.name", "is the name of another, too");
        }

        names.Clear();
        for (int i = 0; i < router.LinkRoutes.Count; i++)
        {
            LinkRouteConfig route = router.LinkRoutes[i];
            string path = $"router.linkRoutes[{i}]";
            Require(route.Prefix is null != route.Pattern is null, source, path, "needs either a prefix or a pattern");
            Require((route.Prefix ?? route.Pattern)!.Length > 0, source, path, "must name addresses");
            ValidateFor(route.Connection, route.ContainerId, source, path);
            Require(route.Name is null || names.Add(route.Name), source, $"{path}.name", "is the name of another, too");
        }
    }

    private static void ValidateFor(string? connection, string? container, string source, string path) =>
        Require(connection is null != container is null, source, path, "needs either a connection or a containerId");

    private static void Require(bool holds, string source, string path, string sentence) =>
        ConfigValidator.Require(holds, source, path, sentence);
}
