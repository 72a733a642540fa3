using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Assay.LlmGateway.Engines.Scripted;

/// <summary>SplitMix64 seeded by words: the same words give the same numbers on every machine and version.</summary>
internal sealed class SeededRandom
{
    ulong state;

    public SeededRandom(params ReadOnlySpan<string> words) => state = Seed(words);

    public double Next() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    public int Below(int limit) => (int)(Next() * limit);

    public int Between(int least, int most) => least + Below(most - least + 1);

    public bool Chance(double probability) => Next() < probability;

    public T Pick<T>(IReadOnlyList<T> from) => from[Below(from.Count)];

    /// <summary>A fixed number in [0, 1) for these words.</summary>
    public static double Of(params ReadOnlySpan<string> words) => new SeededRandom(words).Next();

    ulong NextBits()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    static ulong Seed(ReadOnlySpan<string> words)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u001f', words!)), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
