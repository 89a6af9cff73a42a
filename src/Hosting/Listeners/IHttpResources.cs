using Microsoft.AspNetCore.Builder;

namespace Pillarbox.Hosting.Listeners;

/// <summary>What answers to HTTP. A node whose listeners speak none never makes it, and so has nothing of the web
/// application in memory.</summary>
internal interface IHttpResources
{
    /// <summary>Puts the resources on a listener's pipeline.</summary>
    void Map(WebApplication application);
}
