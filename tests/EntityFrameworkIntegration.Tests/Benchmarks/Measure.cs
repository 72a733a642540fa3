using System.Diagnostics;
using System.Globalization;

namespace Assay.EntityFrameworkIntegration.Tests.Benchmarks;

/// <summary>Time, this process's CPU and that of the PostgreSQL server it started, from its creation on.</summary>
internal sealed class Measure
{
    private const double MillisecondsPerTick = 10;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly double _own = Own();
    private readonly double _postgres = PostgresMilliseconds();

    public (double Seconds, double CpuMilliseconds, double PostgresMilliseconds) Stop() =>
        (Stopwatch.GetElapsedTime(_start).TotalSeconds, Own() - _own, PostgresMilliseconds() - _postgres);

    private static double Own()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime.TotalMilliseconds;
    }

    /// <summary>The CPU of the server and its sessions, those that ended included, from /proc.</summary>
    private static double PostgresMilliseconds()
    {
        var processes = new List<(int Id, int Parent, string Name, double Alive, double Reaped)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                continue;
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(folder, "stat"));
            }
            catch (IOException)
            {
                // It ended since the folder was listed; its parent has its time.
                continue;
            }

            // The name may hold spaces and parentheses; what follows the last one are numbers.
            var end = line.LastIndexOf(')');
            var fields = line[(end + 2)..].Split(' ');
            processes.Add((id, int.Parse(fields[1], CultureInfo.InvariantCulture), line[(line.IndexOf('(', StringComparison.Ordinal) + 1)..end], Ticks(fields, 11), Ticks(fields, 13)));
        }

        var servers = processes.Where(process => process.Parent == Environment.ProcessId && string.Equals(process.Name, "postgres", StringComparison.Ordinal)).ToList();
        return MillisecondsPerTick * servers.Sum(server => server.Alive + server.Reaped + processes.Where(process => process.Parent == server.Id).Sum(process => process.Alive));
    }

    private static double Ticks(string[] fields, int user) =>
        double.Parse(fields[user], CultureInfo.InvariantCulture) + double.Parse(fields[user + 1], CultureInfo.InvariantCulture);
}
