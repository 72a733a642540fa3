using System.Net;

namespace Assay.LlmGateway.Engines.Providers;

/// <summary>
/// Between SDK and socket: adds the idempotency key, knows whether the request's bytes left, reads the response with a bound and
/// keeps it, so that an outcome rests on what happened on the wire and not on how an SDK words it.
/// </summary>
internal sealed class WireHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Far more than the longest answer; a response beyond it is not read to its end.</summary>
    public const int MaxBody = 4 << 20;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var call = CallOnWire.Current ?? throw new InvalidOperationException("A request left an engine without its call: set CallOnWire.Current before asking an SDK.");
        request.Headers.Remove("Idempotency-Key");
        request.Headers.Add("Idempotency-Key", call.IdempotencyKey);
        if (request.Content is { } content)
            request.Content = new WatchedContent(content, call);
        var response = call.Rehearsal ? await RehearseAsync(request, cancellationToken) : await base.SendAsync(request, cancellationToken);
        call.Responded(response);
        await using (var stream = await response.Content.ReadAsStreamAsync(cancellationToken))
            await ReadAsync(stream, call, cancellationToken);
        if (call.BodyState == BodyState.TooLarge)
        {
            response.Dispose();
            throw new HttpRequestException($"The response is longer than {MaxBody} bytes.");
        }
        var known = new ByteArrayContent(call.Body);
        foreach (var header in response.Content.Headers.NonValidated)
        {
            if (!string.Equals(header.Key, "Content-Length", StringComparison.OrdinalIgnoreCase))
                known.Headers.TryAddWithoutValidation(header.Key, header.Value);
        }
        response.Content = known;
        return response;
    }

    static async Task<HttpResponseMessage> RehearseAsync(HttpRequestMessage request, CancellationToken ct)
    {
        if (request.Content is { } content)
            await content.CopyToAsync(Stream.Null, ct);
        return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json") };
    }

    static async Task ReadAsync(Stream stream, CallOnWire call, CancellationToken ct)
    {
        var buffer = new MemoryStream();
        var chunk = new byte[16 << 10];
        call.Read(BodyState.Cut, []);
        int read;
        while ((read = await stream.ReadAsync(chunk, ct)) > 0)
        {
            if (buffer.Length + read > MaxBody)
            {
                call.Read(BodyState.TooLarge, []);
                return;
            }
            buffer.Write(chunk, 0, read);
        }
        call.Read(BodyState.Whole, buffer.ToArray());
    }

    /// <summary>The request's body, which is written once or, after the call was given back, not at all.</summary>
    sealed class WatchedContent : HttpContent
    {
        readonly HttpContent inner;
        readonly CallOnWire call;

        public WatchedContent(HttpContent inner, CallOnWire call)
        {
            (this.inner, this.call) = (inner, call);
            foreach (var header in inner.Headers.NonValidated)
                Headers.TryAddWithoutValidation(header.Key, header.Value);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            call.TryWrite() ? inner.CopyToAsync(stream, context, cancellationToken)
                : throw new HttpRequestException("The request was given back before its bytes were written.");

        protected override bool TryComputeLength(out long length)
        {
            length = inner.Headers.ContentLength ?? 0;
            return inner.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
