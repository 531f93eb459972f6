{# The group of `characteristic` in a row of `from`: its column or, of a broader one, the group that the finer one's is
   joined to. Unknown stays Unknown. #}
{% macro group_of(characteristic, from) %}
{% if characteristic.of %}
case
            {% for group, finer in characteristic.join.items() %}
            when {{ from }}.{{ characteristic.of }} in (
                {%- for each in finer %}{{ quoted(each) }}{{ ', ' if not loop.last }}{% endfor -%}
            ) then {{ quoted(group) }}
            {% endfor %}
            else {{ from }}.{{ characteristic.of }}
        end as {{ characteristic.name }}
{%- else %}
{{ from }}.{{ characteristic.name }}
{%- endif %}
{% endmacro %}
{% macro quoted(text) %}'{{ text | replace("'", "''") }}'{% endmacro %}
