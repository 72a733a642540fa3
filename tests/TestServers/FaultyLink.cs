using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Assay.TestServers;

/// <summary>What a link does to the bytes between two processes.</summary>
public enum LinkState
{
    /// <summary>Bytes go through.</summary>
    Whole,

    /// <summary>Bytes wait, as where every packet is lost: what is not given up arrives once the link is whole again.</summary>
    Dropping,

    /// <summary>Bytes come late.</summary>
    Delaying,

    /// <summary>The far end is gone and the near end is not told: its bytes vanish, until the link is whole and answers them with a reset.</summary>
    HalfOpen,

    /// <summary>Every connection is reset, and so is each new one.</summary>
    Resetting,
}

/// <summary>Where a connection is cut when the near end has said something.</summary>
public enum Cut
{
    /// <summary>It is not.</summary>
    Nowhere,

    /// <summary>Before the far end hears it: both ends are reset.</summary>
    BeforeFarEnd,

    /// <summary>After the far end has heard it and answered: the answer is lost, then both ends are reset.</summary>
    AfterFarEnd,

    /// <summary>It is not, but the far end hears this a second late.</summary>
    NowhereButLate,
}

/// <summary>A loopback TCP proxy between one process and one server, whose state can be changed at any time.</summary>
public sealed class FaultyLink : IAsyncDisposable
{
    static readonly TimeSpan Lateness = TimeSpan.FromMilliseconds(300);
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly Func<IReadOnlyList<int>> _targets;
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<Passage, bool> _passages = new();
    readonly Task _accepting;
    volatile LinkState _state;
    readonly ConcurrentQueue<DateTime> _lost = [];
    int _connections;
    TaskCompletionSource _whole = Completed();

    /// <param name="targets">The ports on this machine to connect to; the first that accepts is taken, so that a cluster is reached while one node lives.</param>
    public FaultyLink(Func<IReadOnlyList<int>> targets)
    {
        _targets = targets;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public FaultyLink(int target)
        : this(() => [target])
    {
    }

    /// <summary>Where the near end connects to.</summary>
    public int Port { get; }

    public LinkState State => _state;

    /// <summary>
    /// When (UTC) the near end said something on a connection whose far end was gone without its knowing, one moment by connection. Such a
    /// connection may lie idle in a pool until long after the link is whole again, and takes the next request with it.
    /// </summary>
    public IReadOnlyList<DateTime> LostAt => [.. _lost];

    /// <summary>Sees what the near end sends, with the number of its connection, and says whether that connection is cut there.</summary>
    public Func<int, ReadOnlyMemory<byte>, Cut>? Watch { get; set; }

    /// <summary>Changes what happens to bytes from now on.</summary>
    public void Become(LinkState state)
    {
        var before = _state;
        if (before is LinkState.Whole && state is not LinkState.Whole)
            _whole = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _state = state;
        if (state is LinkState.Whole)
            _whole.TrySetResult();
        foreach (var passage in _passages.Keys)
        {
            if (state is LinkState.Resetting)
                passage.Reset();
            else if (state is LinkState.HalfOpen)
                passage.LoseFarEnd();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        foreach (var passage in _passages.Keys)
            passage.Reset();
        await _accepting;
        _stop.Dispose();
    }

    static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource();
        completed.SetResult();
        return completed;
    }

    async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket near;
            try
            {
                near = await _listener.AcceptSocketAsync(_stop.Token);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                if (_stop.IsCancellationRequested)
                    return;
                continue;
            }

            near.NoDelay = true;
            _ = PassAsync(near);
        }
    }

    async Task PassAsync(Socket near)
    {
        var passage = new Passage(near, Interlocked.Increment(ref _connections));
        _passages[passage] = true;
        try
        {
            if (_state is LinkState.Resetting)
                return;
            // A connection that is opened while nothing goes through is accepted by this machine's kernel; its bytes wait or vanish.
            if (_state is LinkState.HalfOpen)
                passage.LoseFarEnd();
            else
            {
                await WaitWhileDroppingAsync();
                passage.Far = await ConnectAsync();
            }

            await Task.WhenAny(ForwardAsync(passage, toFar: true), passage.Far is null ? Task.Delay(Timeout.Infinite, _stop.Token) : ForwardAsync(passage, toFar: false));
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One end went away or refused: the other is told below, as a network would.
        }
        finally
        {
            _passages.TryRemove(passage, out _);
            passage.Reset();
        }
    }

    async Task<Socket> ConnectAsync()
    {
        SocketException? refused = null;
        foreach (var port in _targets())
        {
            var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, port, _stop.Token);
                return far;
            }
            catch (SocketException exception)
            {
                far.Dispose();
                refused = exception;
            }
        }

        throw refused ?? new SocketException((int)SocketError.HostUnreachable);
    }

    Task WaitWhileDroppingAsync() => _state is LinkState.Dropping ? _whole.Task.WaitAsync(_stop.Token) : Task.CompletedTask;

    async Task ForwardAsync(Passage passage, bool toFar)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (true)
            {
                var from = toFar ? passage.Near : passage.Far!;
                var read = await from.ReceiveAsync(buffer.AsMemory(), _stop.Token);
                if (passage.FarEndLost)
                {
                    if (!toFar)
                        await Task.Delay(Timeout.Infinite, _stop.Token);
                    if (read > 0 && passage.Loses())
                        _lost.Enqueue(DateTime.UtcNow);
                    if (read == 0 || _state is not LinkState.HalfOpen)
                        return;
                    continue;
                }

                if (read == 0 || !toFar && passage.LosesAnswer)
                    return;
                var cut = toFar ? Watch?.Invoke(passage.Number, buffer.AsMemory(0, read)) : null;
                if (cut is Cut.BeforeFarEnd)
                    return;
                passage.LosesAnswer |= cut is Cut.AfterFarEnd;
                if (cut is Cut.NowhereButLate)
                    await Task.Delay(1_000, _stop.Token);
                if (_state is LinkState.Delaying)
                    await Task.Delay(Lateness, _stop.Token);
                await WaitWhileDroppingAsync();
                var to = toFar ? passage.Far! : passage.Near;
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException && passage.FarEndLost && !toFar)
        {
            // The far end was taken away on purpose, and the near end is not to hear of it.
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    sealed class Passage(Socket near, int number)
    {
        volatile bool _losesAnswer;
        bool _hasLost;

        public int Number { get; } = number;
        public bool LosesAnswer
        {
            get => _losesAnswer;
            set => _losesAnswer = value;
        }

        public Socket Near { get; } = near;
        public Socket? Far { get; set; }
        public bool FarEndLost { get; private set; }

        /// <summary>Whether this is the first thing that is lost here; only the near end's own forwarding asks.</summary>
        public bool Loses() => !_hasLost && (_hasLost = true);

        public void LoseFarEnd()
        {
            FarEndLost = true;
            Reset(Far);
        }

        public void Reset()
        {
            Reset(Near);
            Reset(Far);
        }

        static void Reset(Socket? socket)
        {
            if (socket is null)
                return;
            try
            {
                // Closing with a linger of zero sends a reset instead of a farewell.
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // It is closed already.
            }

            socket.Dispose();
        }
    }
}
