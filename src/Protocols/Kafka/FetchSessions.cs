using Pillarbox.Model;
using Pillarbox.Protocols.Kafka.Wire;
using Pillarbox.Protocols.Kafka.Wire.Messages;

namespace Pillarbox.Protocols.Kafka;

/// <summary>The fetch session of a connection: there is one at most, for a client has one for each node.</summary>
internal sealed class FetchSessions(IRandom random)
{
    private FetchSession? _current;

    /// <summary>The session that the request belongs to, updated by it; a fresh one that nobody keeps when it belongs
    /// to none. Null with an error when it names one that is not there.</summary>
    public FetchSession? Enter(FetchRequest request, out ErrorCode error)
    {
        error = ErrorCode.None;
        if (request.SessionEpoch is FetchSession.NoEpoch or FetchSession.FirstEpoch)
        {
            int partitions = request.Topics.Sum(t => t.Partitions.Length);
            bool keep = request.SessionEpoch == FetchSession.FirstEpoch && partitions <= FetchSession.PartitionsMax;
            var fresh = new FetchSession(keep ? 1 + random.Next(int.MaxValue - 1) : 0);
            fresh.Update(request);
            _current = keep ? fresh : null;
            return fresh;
        }

        if (_current is null || _current.Id != request.SessionId)
        {
            error = ErrorCode.FetchSessionIdNotFound;
            return null;
        }

        if (_current.InUse || _current.NextEpoch != request.SessionEpoch)
        {
            error = ErrorCode.InvalidFetchSessionEpoch;
            return null;
        }

        if (!_current.Update(request))
        {
            // The client names all that it reads once more; who has so many is not given a session then.
            _current = null;
            error = ErrorCode.FetchSessionIdNotFound;
            return null;
        }

        _current.Advance();
        return _current;
    }
}
