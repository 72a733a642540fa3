using System.Security.Cryptography;
using System.Text;

namespace Assay.AuditSaga.Admission;

/// <summary>UUID version 5 (RFC 9562): the same name in the same namespace is the same id, whoever makes it.</summary>
static class NameBasedId
{
    public static Guid Of(Guid space, string name)
    {
        var text = Encoding.UTF8.GetBytes(name);
        var input = new byte[16 + text.Length];
        space.TryWriteBytes(input, bigEndian: true, out _);
        text.CopyTo(input, 16);
        var id = SHA1.HashData(input).AsSpan(0, 16);
        id[6] = (byte)((id[6] & 0x0F) | 0x50);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return new Guid(id, bigEndian: true);
    }
}
