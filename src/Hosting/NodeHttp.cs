using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pillarbox.Broker;
using Pillarbox.Broker.Security;
using Pillarbox.ConsoleApi;
using Pillarbox.Hosting.Listeners;
using Pillarbox.Protocols.Amqp.Routed;

namespace Pillarbox.Hosting;

/// <summary>The node's HTTP resources: health, metrics, the management API. Any thread.</summary>
/// <param name="broker">The node's broker.</param>
/// <param name="security">Who may come in.</param>
/// <param name="router">The node's router; null: it is in no network.</param>
/// <param name="state">Where the node is in its life.</param>
/// <param name="logger">Where unexpected failures are reported.</param>
/// <param name="time">The clock.</param>
internal sealed class NodeHttp(
    MessageBroker broker, NodeSecurity security, NodeRouter? router, NodeState state, ILogger logger, TimeProvider time)
    : IHttpResources, INodeHealth
{
    /// <inheritdoc/>
    public bool Started => state.Started;

    /// <inheritdoc/>
    public bool Stopping => state.Stopping;

    /// <inheritdoc/>
    public void Map(WebApplication application) => ManagementApi.Map(application, new ApiServices
    {
        Broker = broker,
        Health = this,
        Access = new HttpAccess
        {
            Verify = VerifyAsync,
            InDevelopment = () => security.IsOpen,
            WaivesLogin = WaivesLogin,
        },
        Time = time,
        Logger = logger,
        DescribePayload = PayloadDescriber.Describe,
        Router = router is null ? null : router.Network.View,
        ManageRouter = router is null ? null : request => router.Network.ManageAsync(request, ServiceCaller.Node),
    });

    private static bool WaivesLogin(HttpContext context) =>
        context.Features.Get<ListenerPlan>()?.Config.Connections?.LoginRequired == false;

    private async ValueTask<LoginVerdict> VerifyAsync(
        string name, ReadOnlyMemory<byte> password, CancellationToken cancellation)
    {
        if (password.Length > Secret.BytesMax)
        {
            return default;
        }

        using var secret = new Secret(password.Span);
        PasswordCheck check = await security.Users.VerifyAsync(name, secret, cancellation);
        if (check.Status == PasswordStatus.Wrong)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(security.RefusalDelayMs), time, cancellation);
        }

        return new LoginVerdict(check.Identity, check.Status == PasswordStatus.Busy);
    }
}
