namespace Pillarbox.Protocols.Amqp.Routed.Counting;

/// <summary>The tallies of an address's senders, and what those sent that are gone. Any thread.</summary>
public sealed class AddressTallies
{
    private readonly Lock _gate = new();
    private HashSet<AddressTally>? _open;
    private readonly AddressTally _gone = new();

    /// <summary>A sender begins to count.</summary>
    public AddressTally Open()
    {
        var tally = new AddressTally();
        lock (_gate)
        {
            (_open ??= []).Add(tally);
        }

        return tally;
    }

    /// <summary>It counts no more: what it counted stays.</summary>
    public void Close(AddressTally tally)
    {
        lock (_gate)
        {
            if (_open?.Remove(tally) == true)
            {
                _gone.Add(tally);
            }
        }
    }

    /// <summary>The sum at this moment.</summary>
    public AddressTally Sum()
    {
        var sum = new AddressTally();
        lock (_gate)
        {
            sum.Add(_gone);
            foreach (AddressTally tally in _open ?? [])
            {
                sum.Add(tally);
            }
        }

        return sum;
    }
}
