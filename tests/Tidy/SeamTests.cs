using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace Pillarbox.Tidy.Tests;

/// <summary>
/// Time, randomness, disk, network and threads come in through named seams. BannedSymbols.txt makes going around them
/// a build error; here stands who may switch that error off, and who may take a lock.
/// </summary>
public sealed partial class SeamTests
{
    // Path prefix -> why the code there is a seam, or has to share state between threads.
    private static readonly Dictionary<string, string> LockAllowed = new()
    {
        ["src/Storage/"] = "appenders meet in the log; one short lock is what they share",
        ["src/Transport/Sockets/SocketConnection.cs"] = "whoever closes a connection first says why",
        ["src/Model/IRandom.cs"] = "one seeded source for all rooms",
        ["src/Broker/Shards/"] = "the inbox of a shard is where threads meet",
        ["src/Broker/Addresses/AddressSpace."] = "addresses and queues change rarely, in the order of the journal",
        ["src/Broker/Routing/"] = "the route table is swapped whole under a lock, read without one",
        ["src/Broker/Streams/Partition.cs"] = "appends meet here: a check and a copy are shorter than a post",
        ["src/Broker/Streams/StreamCatalog.cs"] = "streams change rarely, in the order of the catalog's log",
        ["src/Broker/Streams/Coordinators/FirstUse.cs"] = "whoever comes first makes the coordinators",
        ["src/Broker/Streams/Coordinators/ShareDeadLetters.cs"] = "share groups give up records, rarely",
        ["src/Protocols/Kafka/PipelineBudget.cs"] = "the loop that reads meets the loop that answers",
        ["src/Broker/Streams/StreamUpkeep.cs"] = "the last checkpoint meets one that is under way",
        ["src/Broker/Streams/Read"] = "waiting reads and the flusher meet here",
        ["src/Protocols/OpenWire/Advisories/AdvisoryHub.cs"] = "who is there changes rarely, and is told in one order",
        ["src/Broker/Transactions/Xa/XaTable.cs"] = "branches are begun on one connection and ended on another",
        ["src/Broker/Journal/ProducerMemories.cs"] = "producers come and go on any connection; their numbers need none",
        ["src/Broker/Consumers/BlobUpload.cs"] = "a connection adds the pieces that a thread of the pool writes",
        ["src/Broker/Quotas/QuotaMeter.cs"] = "connections of one user share a meter: a few instructions each",
        ["src/Broker/Quotas/QuotaStore.cs"] = "changes of the quotas' file, one at a time; whoever counts takes none",
        ["src/Broker/Security/Access/"] = "changes of the rules' file, one at a time; whoever asks takes none",
        ["src/Protocols/Mqtt/SystemTopics.cs"] = "the node's stop waits for figures that are being published",
        ["src/Protocols/Mqtt/Retained/"] = "publishers exchange the last message of a topic, in one order",
        ["src/Protocols/Amqp/Policy/PolicyEngine.cs"] = "connections come and go; a message takes none",
        ["src/Protocols/Amqp/Routed/Counting/AddressTallies.cs"] = "senders come and go; who counts takes none",
        ["src/Protocols/Amqp/Routed/TrafficFacts.cs"] = "links come and go; who counts takes none",
        ["src/Protocols/Amqp/Routed/Tcp/TcpServices.cs"] = "a server is offered or not; a connection takes none",
        ["src/Hosting/Dialing/NodeConnectors.cs"] = "connectors come and go, one at a time",
        ["src/Hosting/NodeProtocols.cs"] = "a protocol is made once, by the listener that first needs it",
        ["src/Router/Addresses/AddressRuleOwner.cs"] = "rules are swapped whole under a lock, read without one",
        ["src/Hosting/Entities/"] = "what is configured changes rarely, one change at a time",
        ["src/Router/NodeNetwork.cs"] = "links and routers come and go, one at a time; a message on its way takes none",
        ["src/Router/Addresses/RouteSearch.cs"] = "the network's lock, for the first message to an address",
        ["src/Router/Edges/EdgeDesk.cs"] = "the network's lock, for what edges ask",
        ["src/Router/Containers/ContainerLinks.cs"] = "the network's lock, for what management changes",
        ["src/Router/Management/Views/NetworkViews.cs"] = "the network's lock, for what management shows",
        ["src/Broker/Security/UserStore.cs"] = "changes of the users' file, one at a time; logins read without it",
    };

    private static readonly Dictionary<string, string> BannedSymbolsAllowed = new()
    {
        ["src/Storage/Files/"] = "the disk",
        ["src/Storage/LogThread.cs"] = "the thread of the log",
        ["src/Transport/LoopbackPacing.cs"] = "the network: how a socket spreads what it sends",
        ["src/Transport/Sockets/"] = "the network: connections that come in, and threads that wait for them",
        ["src/Transport/SocketOutput.cs"] = "the network: sends without Kestrel's copy",
        ["src/Hosting/"] = "network, process and start-up",
        ["src/Server/"] = "the program: command line, client connections, measuring",
        ["src/Testing/"] = "a host for the tests of others",
    };

    [Fact]
    public void Locks_stand_only_where_threads_meet()
    {
        var found = from file in Repository.ProductCode
                    where !file.Path.StartsWith("src/Server/", StringComparison.Ordinal)
                    from node in file.Tree.GetRoot().DescendantNodes()
                    where node is LockStatementSyntax or IdentifierNameSyntax { Identifier.Text: "Monitor" }
                    where !Allowed(LockAllowed, file.Path)
                    select $"{file.At(node)} takes a lock: give the state one owner, or argue for it in SeamTests";
        Findings.None(found);
    }

    [Fact]
    public void Banned_symbols_are_allowed_only_inside_a_seam()
    {
        var found = from file in Repository.ProductCode
                    from pragma in Pragmas(file)
                    where pragma.ToString().Contains("RS0030", StringComparison.Ordinal)
                    where !Allowed(BannedSymbolsAllowed, file.Path)
                    select $"{file.At(pragma)} goes around a seam";
        Findings.None(found);
    }

    [Fact]
    public void Every_suppressed_warning_says_why()
    {
        var pragmas = from file in Repository.CodeFiles
                      from pragma in Pragmas(file)
                      where pragma.DisableOrRestoreKeyword.IsKind(SyntaxKind.DisableKeyword)
                      where !Reason().IsMatch(pragma.ToFullString())
                      select $"{file.At(pragma)} has no `// reason`";
        var attributes = from file in Repository.CodeFiles
                         from attribute in file.Tree.GetRoot().DescendantNodes().OfType<AttributeSyntax>()
                         where attribute.Name.ToString().EndsWith("SuppressMessage", StringComparison.Ordinal)
                         where !attribute.ToString().Contains("Justification", StringComparison.Ordinal)
                         select $"{file.At(attribute)} has no Justification";
        Findings.None(pragmas.Concat(attributes));
    }

    [Fact]
    public void Nothing_is_async_void()
    {
        var found = from file in Repository.CodeFiles
                    from method in file.Tree.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>()
                    where method.Modifiers.Any(SyntaxKind.AsyncKeyword) && method.ReturnType.ToString() == "void"
                    select $"{file.At(method)} is async void: its exception would end the process";
        Findings.None(found);
    }

    [Fact]
    public void Nobody_sleeps()
    {
        var found = from file in Repository.ProductCode
                    from call in file.Tree.GetRoot().DescendantNodes().OfType<MemberAccessExpressionSyntax>()
                    where call.ToString() is "Thread.Sleep" or "Task.Delay" && !Waits.Contains(file.Path)
                    where !call.Parent!.ToString().Contains("TimeProvider", StringComparison.OrdinalIgnoreCase)
                        && !call.Parent!.ToString().Contains("time", StringComparison.OrdinalIgnoreCase)
                    select $"{file.At(call)} waits by the wall clock: hand in the TimeProvider";
        Findings.None(found);
    }

    private static readonly string[] Waits = [];

    private static bool Allowed(Dictionary<string, string> list, string path) =>
        list.Keys.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal));

    private static IEnumerable<PragmaWarningDirectiveTriviaSyntax> Pragmas(CodeFile file) =>
        file.Tree.GetRoot().DescendantNodes(descendIntoTrivia: true).OfType<PragmaWarningDirectiveTriviaSyntax>();

    [GeneratedRegex(@"//\s*\w+")]
    private static partial Regex Reason();
}
