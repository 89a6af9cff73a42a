using Pillarbox.Protocols.Amqp.Routed;
using Pillarbox.Router.Addresses;
using Pillarbox.Router.Containers;
using Pillarbox.Router.Management.Owners;
using Pillarbox.Router.Management.Views;

namespace Pillarbox.Router.Management;

/// <summary>
/// The node's management in the network: requests come to <c>$management</c>, the <see cref="ManagementAgent"/> answers
/// them by what the router shows of itself, and what they want changed is given to who has it. Any thread.
/// </summary>
internal sealed class RouterDesk(NetworkViews views, EntityOwners owners, ContainerLinks containers)
{
    private static readonly CommandResult Forbidden =
        new("You are not allowed to perform this operation.", ManagementStatus.Forbidden);

    /// <summary>Closes a connection by its number, false: it is gone. Said before the first connection.</summary>
    public Func<long, bool> Close { get; set; } = _ => false;

    /// <summary>Answers at the addresses of the agent. What is shown there is for anyone who may send to the address;
    /// what is changed, for who may manage the node.</summary>
    public void Serve(INetwork network, RouteTable routes)
    {
        NetworkService? agent = null;
        var service = new NetworkService(network, (message, caller) => Answer(agent!, message, caller));
        agent = service;
        routes.Serve(ManagementAgent.Address, service);
        routes.Serve("amqp:/_local/" + ManagementAgent.Address, service);
    }

    /// <summary>Answers a request, and carries out what it asks for.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">Who asks.</param>
    public async ValueTask<ManagementReply> ManageAsync(ManagementRequest request, ServiceCaller caller)
    {
        ManagementAnswer answer = ManagementAgent.Handle(request, views.View());
        return answer.Reply ?? answer.ReplyAfter(await CarryAsync(answer.Command!, caller));
    }

    private ServiceMessage? Answer(NetworkService agent, ReadOnlyMemory<byte> message, ServiceCaller caller)
    {
        if (!ManagementRequest.TryRead(message.Span, out ManagementRequest? request))
        {
            return null;
        }

        ValueTask<ManagementReply> reply = ManageAsync(request, caller);
        if (reply.IsCompletedSuccessfully)
        {
            return AnswerOf(request, reply.Result);
        }

        _ = AnswerLaterAsync(agent, request, reply);
        return null;
    }

    private static ServiceMessage AnswerOf(ManagementRequest request, ManagementReply reply) =>
        new(request.ReplyTo, reply.ToMessage(request).ToArray());

    // A change that takes a while, such as a port that is opened.
    private static async Task AnswerLaterAsync(
        NetworkService agent, ManagementRequest request, ValueTask<ManagementReply> reply) =>
        agent.Send(AnswerOf(request, await reply));

    private ValueTask<CommandResult> CarryAsync(RouterCommand command, ServiceCaller caller) => command switch
    {
        // What a connection makes for itself is a matter of its policy.
        CreateEntity { Type: ConnectionRoutes.Type } create =>
            new(ConnectionRoutes.Create(containers, create, caller)),
        DeleteEntity { Entity.Type: ConnectionRoutes.Type } delete =>
            new(ConnectionRoutes.Delete(containers, delete, caller)),
        _ when !caller.MayManage() => new(Forbidden),
        CloseConnection when caller.Policy is { AllowsAdminStatusUpdate: false } => new(Forbidden),
        CloseConnection close when Close(close.ConnectionId) => new(CommandResult.Done()),
        CloseConnection => new(new CommandResult("The connection is gone", ManagementStatus.NotFound)),
        CreateEntity or UpdateEntity or DeleteEntity => owners.CarryAsync(command),
        _ => new(new CommandResult("Links and traces cannot be switched", ManagementStatus.NotImplemented)),
    };
}
