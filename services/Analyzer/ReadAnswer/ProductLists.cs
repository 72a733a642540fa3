namespace Assay.Analyzer.ReadAnswer;

/// <summary>
/// Finds the lists of products in an answer and gives every entry its place; later lists go on counting where earlier ones
/// stopped.
/// </summary>
internal sealed class ProductLists
{
    private const int HeadWords = 8;
    private const int HeadCharacters = 90;
    private const int ShortestInlineList = 100;

    private readonly int[] _groupOfBlock;
    private readonly int[] _positionInGroup;
    private readonly List<Group> _groups = [];

    // Entries inside one block, by the place their name begins: copied text that lost its line breaks. They count as listed;
    // their order is that of first mention, since an entry with a long name cannot be told from a sentence.
    private readonly HashSet<int> _inline = [];

    private ProductLists(int blocks)
    {
        _groupOfBlock = new int[blocks];
        _positionInGroup = new int[blocks];
        Array.Fill(_groupOfBlock, -1);
    }

    private sealed class Group
    {
        public int Index;
        public int Level;
        public int LastOrdinal;
        public bool Ordered;
        public bool IsProducts;
        public int Offset;
        public List<int> Blocks = [];
    }

    public static ProductLists Find(VisibleText text, List<NameMatch> accepted)
    {
        var lists = new ProductLists(text.Blocks.Count);
        lists.GroupBlocks(text);
        var headed = new HashSet<int>();
        foreach (var match in accepted)
        {
            if (lists._groupOfBlock[match.Block] >= 0 && IsHead(text, text.Blocks[match.Block], match.Start))
                headed.Add(match.Block);
        }

        lists.FindInline(text, accepted);
        var offset = 0;
        foreach (var group in lists._groups)
            group.IsProducts = IsListOfProducts(text, group, headed);
        // A row of headings may begin above the lists and name its first product below them.
        foreach (var group in lists._groups.Where(g => g.IsProducts).OrderBy(g => g.Blocks.Find(headed.Contains)))
        {
            group.Offset = offset;
            offset += lists.Number(text, group, headed);
        }

        return lists;
    }

    // Two entries of different brands in one block make a list.
    private void FindInline(VisibleText text, List<NameMatch> accepted)
    {
        for (var i = 0; i < accepted.Count;)
        {
            var stop = i;
            while (stop < accepted.Count && accepted[stop].Block == accepted[i].Block)
                stop++;
            var block = text.Blocks[accepted[i].Block];
            if (block.Kind is BlockKind.Paragraph && block.End - block.Start > ShortestInlineList)
            {
                var entries = accepted.GetRange(i, stop - i).FindAll(m => MentionMatcher.OpensEntry(text, m));
                if (entries.Select(m => m.Alias.Brand).Distinct().Count() >= 2)
                    _inline.UnionWith(entries.Select(m => m.Start));
            }

            i = stop;
        }
    }

    // One entry at least is headed by a known name, and half of them by something that looks like a name: a row of headings
    // of which one speaks of a brand, or a list of properties, is no list of products.
    private static bool IsListOfProducts(VisibleText text, Group group, HashSet<int> headed)
    {
        var (entries, named, known) = (0, 0, 0);
        foreach (var index in group.Blocks)
        {
            var block = text.Blocks[index];
            if (group.Ordered && block.Ordinal == 0 && !headed.Contains(index))
                continue;
            entries++;
            known += headed.Contains(index) ? 1 : 0;
            named += headed.Contains(index) || OtherBrands.NameAt(text, block) is not null ? 1 : 0;
        }

        return known > 0 && named * 2 >= entries;
    }

    // An ordered list brings its numbers. Elsewhere entries are counted: items headed by a name, known or not; headings
    // such as "How to choose" and items such as "Price" between them are no entries.
    private int Number(VisibleText text, Group group, HashSet<int> headed)
    {
        var count = 0;
        foreach (var index in group.Blocks)
        {
            var block = text.Blocks[index];
            var isEntry = block.Ordinal > 0 || headed.Contains(index) || OtherBrands.NameAt(text, block) is not null;
            if (isEntry)
                count++;
            var ordinal = group.Ordered && block.Ordinal > 0 && block.Ordinal <= count + 1 ? block.Ordinal : count;
            count = Math.Max(count, ordinal);
            _positionInGroup[index] = isEntry ? ordinal : 0;
        }

        return count;
    }

    /// <summary>Blocks that are entries of product lists, in order of the text.</summary>
    public IEnumerable<int> EntryBlocks()
    {
        for (var block = 0; block < _groupOfBlock.Length; block++)
        {
            if (_groupOfBlock[block] is >= 0 and var group && _groups[group].IsProducts && _positionInGroup[block] > 0)
                yield return block;
        }
    }

    /// <summary>The place of the entry a name heads, counted over all product lists; null when it heads none.</summary>
    public int? PlaceOf(VisibleText text, NameMatch match)
    {
        var group = _groupOfBlock[match.Block];
        return group >= 0 && _groups[group].IsProducts && IsHead(text, text.Blocks[match.Block], match.Start)
            ? _groups[group].Offset + _positionInGroup[match.Block]
            : null;
    }

    /// <summary>Whether a name heads an entry inside a block rather than a block of its own.</summary>
    public bool IsInline(NameMatch match) => _inline.Contains(match.Start);

    /// <summary>Whether a place lies in the first words of a block.</summary>
    public static bool IsHead(VisibleText text, Block block, int at)
    {
        if (at - block.Start > HeadCharacters)
            return false;
        var words = 0;
        var chars = text.Chars;
        for (var i = block.Start; i < at; i++)
        {
            if (chars[i] is '.' or '!' or '?' && i + 1 < at && chars[i + 1] == ' ' && i > block.Start && !char.IsDigit(chars[i - 1]))
                return false;
            if (chars[i] is ' ' && ++words > HeadWords)
                return false;
        }

        return true;
    }

    private void GroupBlocks(VisibleText text)
    {
        var lists = new List<Group>();
        var headings = new List<Group>();
        Group? paragraphs = null;
        Group? table = null;
        var tableId = -1;
        for (var b = 0; b < text.Blocks.Count; b++)
        {
            var block = text.Blocks[b];
            switch (block.Kind)
            {
                case BlockKind.Heading:
                    while (headings.Count > 0 && headings[^1].Level > block.Level)
                        headings.RemoveAt(headings.Count - 1);
                    lists.Clear();
                    paragraphs = null;
                    if (headings.Count == 0 || headings[^1].Level < block.Level)
                        headings.Add(NewGroup(block));
                    Join(headings[^1], b, block);
                    break;
                case BlockKind.ListItem:
                    while (lists.Count > 0 && lists[^1].Level > block.Level + 1)
                        lists.RemoveAt(lists.Count - 1);
                    // A list that starts again at 1 is another list.
                    if (lists.Count > 0 && lists[^1].Level >= block.Level - 1 && block.Ordinal is > 0 && lists[^1].Ordered && block.Ordinal <= lists[^1].LastOrdinal)
                        lists.RemoveAt(lists.Count - 1);
                    if (lists.Count == 0 || lists[^1].Level < block.Level - 1 || lists[^1].Ordered != block.Ordinal > 0)
                        lists.Add(NewGroup(block));
                    Join(lists[^1], b, block);
                    break;
                case BlockKind.Cell:
                    if (block.Table != tableId)
                        (table, tableId) = (NewGroup(block), block.Table);
                    if (block.Column == 0 && block.Row > 0)
                        Join(table!, b, block);
                    break;
                case BlockKind.Paragraph when (text.Styles[block.Start] & Style.Bold) != Style.None:
                    paragraphs ??= NewGroup(block);
                    Join(paragraphs, b, block);
                    break;
                case BlockKind.Paragraph:
                    // Text between "1." and "2." keeps an ordered list together; it ends a list of bullets.
                    if (block.Level == 0)
                        lists.RemoveAll(list => !list.Ordered);
                    break;
            }
        }
    }

    private Group NewGroup(Block block)
    {
        var group = new Group { Level = block.Level, Ordered = block.Ordinal > 0, Index = _groups.Count };
        _groups.Add(group);
        return group;
    }

    private void Join(Group group, int index, Block block)
    {
        group.Blocks.Add(index);
        group.Ordered |= block.Ordinal > 0;
        group.LastOrdinal = Math.Max(group.LastOrdinal, block.Ordinal);
        _groupOfBlock[index] = group.Index;
    }
}
