using Assay.PublicSuffix;

namespace Assay.Analyzer.Tests.ReadAnswer;

public sealed class When_a_registrable_domain_is_asked_for
{
    [Theory]
    [InlineData("anker.com", "anker.com")]
    [InlineData("https://shop.anker.com/earbuds?x=1#top", "anker.com")]
    [InlineData("WWW.Anker.COM.", "anker.com")]
    [InlineData("http://user:secret@www.anker.com:8080/", "anker.com")]
    [InlineData("//cdn.anker.com/x", "anker.com")]
    [InlineData("www.example.co.uk", "example.co.uk")]
    [InlineData("a.b.c.kobe.jp", "b.c.kobe.jp")]
    [InlineData("www.city.kobe.jp", "city.kobe.jp")]
    [InlineData("www.ck", "www.ck")]
    [InlineData("a.b.ck", "a.b.ck")]
    [InlineData("someone.github.io", "someone.github.io")]
    [InlineData("https://www.食狮.公司.cn/", "xn--85x722f.xn--55qx5d.cn")]
    [InlineData("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn")]
    [InlineData("müller.de", "xn--mller-kva.de")]
    [InlineData("shop.unknown-suffix", "shop.unknown-suffix")]
    public void Should_find_it(string hostOrUrl, string expected) => RegistrableDomain.Of(hostOrUrl).ShouldBe(expected);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("com")]
    [InlineData("co.uk")]
    [InlineData("b.ck")]
    [InlineData("github.io")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("http://[::1]:5080/")]
    [InlineData("mailto:someone")]
    [InlineData("not a host")]
    [InlineData("a..b.com")]
    [InlineData("\uD800.com")]
    [InlineData("https://?q=anker.com")]
    public void Should_say_that_there_is_none(string? hostOrUrl) => RegistrableDomain.Of(hostOrUrl).ShouldBeNull();

    [Fact]
    public void Should_read_a_name_of_many_labels_without_choking() =>
        RegistrableDomain.Of(string.Join('.', Enumerable.Repeat("a", 100_000))).ShouldBeNull();
}
