namespace Pillarbox.Transport.Sockets;

/// <summary>A connection whose input is worked on by the threads that wait for sockets, which is for what is quickly
/// done.</summary>
public interface IPooledConnectionFeature
{
    /// <summary>From now on the input is worked on by threads of the pool. Any thread.</summary>
    void UsePool();
}
