namespace Pillarbox.Broker.Streams;

/// <summary>Where an epoch began.</summary>
internal readonly record struct EpochStart(int Epoch, long Offset);

/// <summary>The leader epochs of a partition, oldest first. Under the partition's lock.</summary>
internal sealed class EpochList
{
    private readonly List<EpochStart> _starts = [];

    public IReadOnlyList<EpochStart> Starts => _starts;

    /// <summary>The newest epoch with a record; -1 when there is none.</summary>
    public int Last => _starts.Count == 0 ? -1 : _starts[^1].Epoch;

    /// <summary>A batch of an epoch stands at an offset.</summary>
    public void Note(int epoch, long offset)
    {
        if (epoch > Last)
        {
            _starts.Add(new EpochStart(epoch, offset));
        }
    }

    /// <summary>The epoch of an offset; -1 when not known.</summary>
    public int EpochAt(long offset)
    {
        for (int i = _starts.Count - 1; i >= 0; i--)
        {
            if (_starts[i].Offset <= offset)
            {
                return _starts[i].Epoch;
            }
        }

        return -1;
    }

    /// <summary>The largest epoch at or below one, and where it ended: where the next one began, or at
    /// <paramref name="endOffset"/>. (-1, -1) when the epoch is not known here; one before all known ones ended where
    /// the
    /// first begins.</summary>
    public (int Epoch, long EndOffset) EndOf(int epoch, int currentEpoch, long endOffset)
    {
        if (epoch == currentEpoch)
        {
            return (epoch, endOffset);
        }

        int found = -1;
        for (int i = 0; i < _starts.Count && _starts[i].Epoch <= epoch; i++)
        {
            found = i;
        }

        if (epoch > currentEpoch || _starts.Count == 0)
        {
            return (-1, -1);
        }

        if (found < 0)
        {
            return (epoch, _starts[0].Offset);
        }

        return (_starts[found].Epoch, found + 1 < _starts.Count ? _starts[found + 1].Offset : endOffset);
    }

    /// <summary>Nothing is left below an offset.</summary>
    public void ForgetBelow(long offset)
    {
        while (_starts.Count > 1 && _starts[1].Offset <= offset)
        {
            _starts.RemoveAt(0);
        }

        if (_starts.Count > 0 && _starts[0].Offset < offset)
        {
            _starts[0] = _starts[0] with { Offset = offset };
        }
    }
}
