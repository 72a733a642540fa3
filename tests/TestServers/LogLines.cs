using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Assay.TestServers;

/// <summary>What a host logged, line by line with time, level and exception: to wait for, or for the message of a test that failed. The last thousand are kept.</summary>
/// <param name="wanted">Which categories are listened to; all if null.</param>
public sealed class LogLines(Func<string, bool>? wanted = null) : ILoggerProvider
{
    private const int Kept = 1_000;
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyCollection<string> Lines => _lines;

    public bool Contain(string text) => _lines.Any(line => line.Contains(text, StringComparison.Ordinal));

    public ILogger CreateLogger(string categoryName) => new Category(_lines, wanted?.Invoke(categoryName) ?? true);

    public void Dispose()
    {
    }

    private sealed class Category(ConcurrentQueue<string> lines, bool isWanted) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isWanted;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!isWanted)
                return;
            lines.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel}: {formatter(state, exception)} {exception}");
            while (lines.Count > Kept)
                lines.TryDequeue(out _);
        }
    }
}
