using System.Globalization;
using Assay.TestServers;

namespace Assay.Chaos;

/// <summary>Starts a process with a wall clock that is wrong, by libfaketime; its monotonic clock stays true, as on a real machine.</summary>
static class ShiftedClock
{
    static readonly string[] Places = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

    public static IReadOnlyDictionary<string, string> By(TimeSpan offset) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["LD_PRELOAD"] = Places.FirstOrDefault(File.Exists) ?? throw new ServerMissingException("libfaketime (libfaketimeMT.so.1)", "libfaketime", string.Join(", ", Places)),
        ["FAKETIME"] = string.Create(CultureInfo.InvariantCulture, $"{(offset < TimeSpan.Zero ? "" : "+")}{offset.TotalSeconds:0}s"),
        ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        ["DONT_FAKE_MONOTONIC"] = "1",
    };
}
