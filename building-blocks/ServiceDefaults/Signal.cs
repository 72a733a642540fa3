using System.Threading.Channels;

namespace Assay.ServiceDefaults;

/// <summary>Wakes one who waits inside this process. Several calls before it looks are one; a call while nobody waits is kept.</summary>
public class Signal
{
    readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Wakes who waits, or who waits next.</summary>
    public void Wake() => _wanted.Writer.TryWrite(true);

    /// <summary>Waits for a call, but not longer than this.</summary>
    /// <returns>Whether somebody called; false if the time was up.</returns>
    /// <exception cref="OperationCanceledException">The caller's own token was cancelled.</exception>
    public async Task<bool> WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await _wanted.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
