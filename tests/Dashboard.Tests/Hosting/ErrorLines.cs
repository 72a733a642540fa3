using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Assay.Dashboard.Tests.Hosting;

/// <summary>Keeps what is logged as an error, with its exception.</summary>
sealed class ErrorLines : ILoggerProvider
{
    readonly ConcurrentQueue<(string Line, Exception? Exception)> lines = new();

    public IReadOnlyCollection<(string Line, Exception? Exception)> All => lines;

    public ILogger CreateLogger(string categoryName) => new Logger(lines);

    public void Dispose()
    {
    }

    sealed class Logger(ConcurrentQueue<(string Line, Exception? Exception)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                lines.Enqueue((formatter(state, exception), exception));
        }
    }
}
