using Pillarbox.Router.LinkState;

namespace Pillarbox.Router.Tests.Network;

/// <summary>
/// A network from a seed: a random connected graph, addresses at its nodes, and a story of faults. What is broken at
/// the end stays broken; the checker knows.
/// </summary>
internal sealed class RandomNetwork
{
    /// <summary>The last change a fault makes comes so long after its begin.</summary>
    public const int FaultTailMs = SilenceMsMax + 500;

    private const int SilenceMsMax = 4500;
    private const int DownMsMax = 2500;

    private readonly Random _random;
    private readonly int _addressesPerNode;

    public RandomNetwork(int seed, int nodes, int addressesPerNode)
    {
        (_random, _addressesPerNode) = (new Random(seed), addressesPerNode);
        for (int i = 0; i < nodes; i++)
        {
            SimNode node = Network.AddNode($"R{i}");
            for (int j = 0; j < addressesPerNode; j++)
            {
                Network.AddAddress(node, AnyKey(i));
            }
        }
        for (int i = 1; i < nodes; i++)
        {
            Connect(Network.Nodes[i], Network.Nodes[_random.Next(i)]);
        }
        for (int i = _random.Next(nodes + 1); i > 0; i--)
        {
            Connect(Any(Network.Nodes), Any(Network.Nodes));
        }
    }

    public SimNetwork Network { get; } = new();

    /// <summary>Plans so many faults within this time.</summary>
    public void PlanFaults(int count, int withinMs)
    {
        for (int i = 0; i < count; i++)
        {
            Network.At(Network.NowMs + _random.Next(withinMs), Fault);
        }
    }

    private void Connect(SimNode left, SimNode right)
    {
        if (left != right)
        {
            Network.Connect(left, right, _random.Next(3) == 0 ? _random.Next(1, 10) : 1, _random.Next(1, 40));
        }
    }

    private void Fault()
    {
        switch (_random.Next(10))
        {
            case 0 or 1:
                Network.Cut(Any(Network.Links), _random.Next(200), _random.Next(200));
                break;
            case 2 or 3:
                Network.Up(Any(Network.Links));
                break;
            case 4:
                SimLink silent = Any(Network.Links);
                Network.Silence(silent);
                Network.At(Network.NowMs + _random.Next(SilenceMsMax), () => Network.Speak(silent));
                break;
            case 5:
                Network.SetCost(Any(Network.Links), _random.Next(1, 20));
                break;
            case 6:
                Restart(Any(Network.Nodes));
                break;
            case 7:
                Move(Any(Network.Nodes), Any(Network.Nodes));
                break;
            default:
                SimNode node = Any(Network.Nodes);
                Network.AddAddress(node, AnyKey(_random.Next(Network.Nodes.Count)));
                break;
        }
    }

    private void Restart(SimNode node)
    {
        if (!node.IsAlive)
        {
            return;
        }
        Network.Kill(node);
        Network.At(Network.NowMs + _random.Next(1, DownMsMax), () =>
        {
            Network.Restart(node);
            foreach (SimLink link in Network.Links.Where(l => l.Left == node || l.Right == node))
            {
                Network.At(Network.NowMs + _random.Next(500), () => Network.Up(link));
            }
        });
    }

    private void Move(SimNode from, SimNode to)
    {
        if (from.Addresses.Count > 0)
        {
            string key = from.Addresses.Keys.ElementAt(_random.Next(from.Addresses.Count));
            Network.RemoveAddress(from, key);
            Network.AddAddress(to, key, (AddressTreatment)_random.Next(1, 4));
        }
    }

    private string AnyKey(int node) => _random.Next(4) == 0
        ? $"M0shared.{_random.Next(1 + _addressesPerNode)}"
        : $"M0own.{node}.{_random.Next(1 + (_addressesPerNode * 4))}";

    private T Any<T>(List<T> of) => of[_random.Next(of.Count)];
}
