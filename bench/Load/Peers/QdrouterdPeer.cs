using System.Diagnostics;
using Pillarbox.Load.Rows;

namespace Pillarbox.Load.Peers;

/// <summary>The peer's router. No package of Debian 12 has it: <see cref="Variable"/> names a program that starts it
/// (the router itself, or a script that sets the paths of its libraries first), else it is left out. A row
/// starts the routers that it needs; there is none beside.</summary>
internal sealed class QdrouterdPeer : IPeer
{
    public const string PeerName = "qdrouterd";

    /// <summary>The variable of the environment with the program's path.</summary>
    public const string Variable = "PILLARBOX_QDROUTERD";

    private const int ReadySeconds = 30;

    public string Name => PeerName;

    public string Version => "qdrouterd, 4 worker threads";

    /// <inheritdoc/>
    public int Pid => Environment.ProcessId;

    public IReadOnlyList<string> Lines => [];

    public string? AmqpUrl => null;

    public static bool IsGiven => File.Exists(Environment.GetEnvironmentVariable(Variable));

    public string QueueAddress(string queue) => queue;

    /// <inheritdoc/>
    public string? AddressOf(string protocol) => null;

    /// <summary>Starts a router of a line, connected to the one before it.</summary>
    public static async Task<LineNode> StartNodeAsync(int number, LineNode? before)
    {
        string folder = PeerProcess.NewFolder(PeerName);
        int amqp = PeerProcess.FreePort();
        int interRouter = PeerProcess.FreePort();
        string configuration = Path.Combine(folder, "qdrouterd.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            router {
                mode: interior
                id: N{{number}}
                workerThreads: 4
            }
            listener {
                host: 127.0.0.1
                port: {{amqp}}
                authenticatePeer: no
                saslMechanisms: ANONYMOUS
            }
            listener {
                host: 127.0.0.1
                port: {{interRouter}}
                role: inter-router
                authenticatePeer: no
                saslMechanisms: ANONYMOUS
            }
            address {
                prefix: line
                distribution: balanced
            }

            """);
        if (before is not null)
        {
            await File.AppendAllTextAsync(configuration, $$"""
                connector {
                    host: 127.0.0.1
                    port: {{before.InterRouter.Split(':')[1]}}
                    role: inter-router
                    saslMechanisms: ANONYMOUS
                }

                """);
        }
        string program = Environment.GetEnvironmentVariable(Variable)!;
        PeerProcess process = PeerProcess.Start(new ProcessStartInfo(program, ["-c", configuration]), folder);
        try
        {
            await process.WaitForPortAsync(amqp, ReadySeconds);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }

        return new LineNode(process, $"127.0.0.1:{amqp}", $"127.0.0.1:{interRouter}");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
